import type { Offer } from "./completion.tsx"

/** What can be told in the message field after a `/`. */
export interface Command extends Offer {
  /** What it does by itself. Undefined: one of `options` has to follow. */
  readonly run?: () => void
  readonly options?: readonly (Offer & { readonly run: () => void })[]
  /** What may follow besides, when it has this form and none of the options fits. */
  readonly own?: { readonly form: RegExp; readonly note: string; readonly run: (typed: string) => void }
  /** Of no use now: it is offered only when it is written out, so that it is not sent as a message. */
  readonly isIdle?: boolean
}

/** One line of the list. */
export interface CommandOffer extends Offer {
  /** What is in the field afterwards. */
  readonly text: string
  readonly run?: () => void
}

/** The commands, or what may follow one, that fit a message; undefined when it is no command. */
export function commandOffers(
  text: string,
  commands: readonly Command[],
): readonly CommandOffer[] | undefined {
  const [, typedName, typed] = /^\/(\S*)(?: (.*))?$/.exec(text) ?? []
  if (typedName === undefined) return undefined
  const name = typedName.toLowerCase()
  const found = typed === undefined ? named(name, commands) : following(name, typed.trim(), commands)
  return found.length === 0 ? undefined : found
}

const named = (typed: string, commands: readonly Command[]): readonly CommandOffer[] =>
  commands
    .filter(({ name, isIdle }) => (isIdle ? name === typed : name.startsWith(typed)))
    .map(({ name, note, run }) => ({
      name: `/${name}`,
      note,
      ...(run ? { text: "", run } : { text: `/${name} ` }),
    }))

function following(of: string, typed: string, commands: readonly Command[]): readonly CommandOffer[] {
  const { options = [], own } = commands.find(({ name }) => name === of) ?? {}
  const wanted = typed.toLowerCase()
  const found = options.filter(({ name, note }) => `${name} ${note}`.toLowerCase().includes(wanted))
  if (found.length > 0) return found.map((option) => ({ ...option, text: "" }))
  return own?.form.test(typed) ? [{ name: typed, note: own.note, text: "", run: () => own.run(typed) }] : []
}
