import type { ArgumentMatcher } from "@orra/core"

/**
 * The pieces the table of settings (`settings.ts`) is written in. Parsing, defaults, `herald --check` and the
 * documentation all come from the table, so that none of them can say something else than the others.
 */

/** What a value may be. A `secret` is text that is never shown. `later` says of a key of the original's what it does not do here. */
export interface Field<T> {
  readonly kind:
    | "text"
    | "secret"
    | "path"
    | "integer"
    | "number"
    | "boolean"
    | "choice"
    | "texts"
    | "secrets"
    | "matchers"
  readonly default: T
  readonly doc: string
  readonly required?: true
  readonly choices?: readonly string[]
  readonly min?: number
  readonly max?: number
  /** Set when the key is read and has no effect: what is said when it is used. */
  readonly later?: string
  /** The value that asks for nothing, so that writing it is not worth a word. Default: false, none, empty. */
  readonly off?: T
  /** What the example file has where there is no default. */
  readonly example?: string
  /** It may hold a key, so what it is set to is not shown. */
  readonly hidden?: true
  /** Where the original Herald (0.0.9) had another default or meaning: that, and why it changed. */
  readonly was?: string
}

export interface Section<F extends Fields = Fields> {
  readonly kind: "section"
  readonly doc: string
  readonly fields: F
}

/** `[[name]]`: any number of tables. */
export interface List<F extends Fields = Fields> {
  readonly kind: "list"
  readonly doc: string
  readonly fields: F
}

export type Node = Field<unknown> | Section | List
export interface Fields {
  readonly [key: string]: Node
}

export type ValueOf<N> =
  N extends Section<infer F>
    ? ValuesOf<F>
    : N extends List<infer F>
      ? readonly ValuesOf<F>[]
      : N extends Field<infer T>
        ? T
        : never
export type ValuesOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> }

type Options<T> = Partial<Pick<Field<T>, "later" | "off" | "was" | "example" | "hidden">>
type Bounds<T> = Options<T> & { readonly min?: number; readonly max?: number }

export const text = <T extends string | undefined>(
  initial: T,
  doc: string,
  options: Options<T extends string ? string : string | undefined> = {},
) => field<T extends string ? string : string | undefined>("text", initial as never, doc, options)

/** Text that must be given. */
export const requiredText = (doc: string, options: Options<string> = {}): Field<string> => ({
  ...field("text", "", doc, options),
  required: true,
})

export const secret = (doc: string, options: Options<string | undefined> = {}) =>
  field<string | undefined>("secret", undefined, doc, options)

export const requiredSecret = (doc: string): Field<string> => ({
  ...field("secret", "", doc),
  required: true,
})

export const path = <T extends string | undefined>(
  initial: T,
  doc: string,
  options: Options<T extends string ? string : string | undefined> = {},
) => field<T extends string ? string : string | undefined>("path", initial as never, doc, options)

export const integer = <T extends number | undefined>(
  initial: T,
  doc: string,
  options: Bounds<T extends number ? number : number | undefined> = {},
) => ({
  min: 0,
  ...field<T extends number ? number : number | undefined>("integer", initial as never, doc, options),
})

export const decimal = (
  initial: number | undefined,
  doc: string,
  options: Bounds<number | undefined> = {},
): Field<number | undefined> => field("number", initial, doc, options)

export const boolean = (initial: boolean, doc: string, options: Options<boolean> = {}): Field<boolean> =>
  field("boolean", initial, doc, options)

export const choice = <const C extends readonly string[]>(
  choices: C,
  initial: C[number],
  doc: string,
  options: Options<C[number]> = {},
): Field<C[number]> => ({ ...field<C[number]>("choice", initial, doc, options), choices })

export const texts = (
  initial: readonly string[],
  doc: string,
  options: Options<readonly string[]> = {},
): Field<readonly string[]> => field("texts", initial, doc, options)

/** A table of names to secret texts, such as the environment of a program. */
export const secrets = (
  doc: string,
  options: Options<Readonly<Record<string, string>>> = {},
): Field<Readonly<Record<string, string>>> => field("secrets", {}, doc, options)

/** A table of what each argument of a call must be. */
export const matchers = (doc: string): Field<Readonly<Record<string, ArgumentMatcher>>> =>
  field("matchers", {}, doc)

export const section = <F extends Fields>(doc: string, fields: F): Section<F> => ({
  kind: "section",
  doc,
  fields,
})

export const list = <F extends Fields>(doc: string, fields: F): List<F> => ({
  kind: "list",
  doc,
  fields,
})

function field<T>(kind: Field<T>["kind"], initial: T, doc: string, options: Bounds<T> = {}): Field<T> {
  return { kind, default: initial, doc, ...options }
}
