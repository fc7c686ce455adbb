import { InvalidInput } from "./errors.ts"
import { isObject, type Json, type JsonObject } from "./json.ts"
import type { ToolRisk } from "./tool.ts"

/** The call to be judged. */
export interface PolicyCall {
  readonly tool: string
  readonly risk: ToolRisk
  /**
   * What the tool will be called with. Left out when a tool is listed: then the question is what it gets with the
   * arguments that get most.
   */
  readonly arguments?: JsonObject
  /** Whether the session has read what strangers wrote (tools with `untrusted`). Left out, rules about it deny and ask, and none allows. */
  readonly tainted?: boolean
  /** When, in ms since 1970. Default: now. */
  readonly at?: number
}

/** What an argument has to be. Texts are compared whole (`equals`, `oneOf`), by their beginning, or as a glob. */
export type ArgumentMatcher =
  | { readonly equals: Json }
  | { readonly oneOf: readonly Json[] }
  | { readonly prefix: string }
  | { readonly glob: string }
  | { readonly min?: number; readonly max?: number }

/** A rule that says more than a name: it matches a call when everything it names does. */
export interface PolicyRule {
  /** A tool name or a glob over names. Default "*". */
  readonly tool?: string
  readonly risk?: ToolRisk | readonly ToolRisk[]
  /**
   * By JSON Pointer ("/url", "/recipients/*"): "*" stands for every item of a list or member of an object. To deny or
   * to ask one match is enough; to allow all of them must match, and there must be one.
   */
  readonly arguments?: Readonly<Record<string, ArgumentMatcher>>
  /**
   * Only for calls of a session that has read what strangers wrote, such as a web page (true), or only for those of
   * one that has not (false).
   */
  readonly tainted?: boolean
  /** When the rule holds, in ms since 1970: from `from`, before `until`. */
  readonly from?: number
  readonly until?: number
  /** A question for the application. What throws, gives no boolean or takes too long denies the call. */
  readonly check?: (call: PolicyCall & { readonly namespace: string }) => boolean | Promise<boolean>
  /** How `explain` names the rule. Default: the rule itself. */
  readonly name?: string
}

/** What time it is: `latest` is the latest it ever was, so that a clock set back revives no grant. */
export interface PolicyTime {
  readonly now: number
  readonly latest: number
  readonly skewMs: number
}

/** A rule, checked and ready to be asked. */
export interface CompiledRule {
  readonly text: string
  readonly check: PolicyRule["check"]
  /** True when it depends on the arguments whether the rule matches. */
  readonly open: boolean
  /** Everything but `check`. @throws when the arguments are not plain JSON. */
  readonly matches: (call: PolicyCall, time: () => PolicyTime) => boolean
}

const RISKS: readonly ToolRisk[] = ["read", "write", "exec", "network"]
const NAME_RULE = /^[a-zA-Z0-9_.*-]+$/
const RULE_KEYS = ["tool", "risk", "arguments", "tainted", "from", "until", "check", "name"]
const MAX_DEPTH = 500

/**
 * A rule as it can be asked. `grants` is true for rules that allow. They take a call literally; rules that deny or
 * ask overlook how it is spelt (case, compatibility forms, invisible characters, numbers as text) and match what they
 * cannot compare, so that no spelling slips past them and none is let in.
 *
 * @throws InvalidInput for what is not a rule.
 */
export function compileRule(rule: string | PolicyRule, grants: boolean): CompiledRule {
  if (typeof rule === "string") return compileText(rule, grants)
  if (!isObject(rule as unknown)) throw notARule(rule)
  const keys = Object.keys(rule)
  for (const key of keys) {
    if (!RULE_KEYS.includes(key)) {
      throw new InvalidInput(`"${key}" is not part of a rule: it has ${RULE_KEYS.join(", ")}.`)
    }
  }
  if (!keys.some((key) => key !== "name"))
    throw new InvalidInput("A rule says nothing: name a tool, or risk.")
  const { tool = "*", check, name } = rule
  if (typeof tool !== "string" || !NAME_RULE.test(tool)) throw notARule(tool)
  if (rule.tainted !== undefined && typeof rule.tainted !== "boolean") {
    throw new InvalidInput('"tainted" takes true or false.')
  }
  if (check !== undefined && typeof check !== "function") throw new InvalidInput('"check" takes a function.')
  if (name !== undefined && typeof name !== "string") throw new InvalidInput('"name" takes a text.')
  assertWindow(rule)
  const risks = rule.risk === undefined ? undefined : [rule.risk].flat().map(checkedRisk)
  const named = compileName(tool, grants)
  const tests = compileArguments(rule.arguments, grants)
  const holds = window(rule, grants)
  return {
    text: name === undefined ? describeRule(rule) : JSON.stringify(name),
    check,
    open: tests.length > 0 || check !== undefined,
    matches: (call, time) =>
      named(call.tool) &&
      (risks === undefined || risks.includes(call.risk)) &&
      (rule.tainted === undefined || isTaint(rule.tainted, call, grants)) &&
      (holds === undefined || holds(time())) &&
      (tests.length === 0 || matchesArguments(tests, call.arguments, grants)),
  }
}

/** Where nobody says, what forbids applies and what allows does not. */
const isTaint = (wanted: boolean, { tainted }: PolicyCall, grants: boolean): boolean =>
  tainted === undefined ? !grants : tainted === wanted

/** Whether a grant (or what forbids) bounded by `from` and `until` holds, or undefined when it always does. */
export function window(
  { from, until }: { readonly from?: number; readonly until?: number },
  grants: boolean,
): ((time: PolicyTime) => boolean) | undefined {
  if (from === undefined && until === undefined) return undefined
  const start = from ?? Number.NEGATIVE_INFINITY
  const end = until ?? Number.POSITIVE_INFINITY
  // In doubt, also about a clock that says no number, what grants does not hold and what forbids does.
  return grants
    ? ({ now, latest, skewMs }) => now - skewMs >= start && latest + skewMs < end
    : ({ now, latest, skewMs }) => !(latest + skewMs < start) && !(now - skewMs >= end)
}

export function assertWindow({ from, until }: { readonly from?: unknown; readonly until?: unknown }): void {
  for (const [key, value] of Object.entries({ from, until })) {
    if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value))) {
      throw new InvalidInput(`"${key}" takes a time in ms since 1970.`)
    }
  }
  if (typeof from === "number" && typeof until === "number" && from >= until) {
    throw new InvalidInput('"from" must be before "until".')
  }
}

function compileText(rule: string, grants: boolean): CompiledRule {
  const text = `"${rule}"`
  const base = { text, check: undefined, open: false }
  if (rule.startsWith("risk:")) {
    const risk = checkedRisk(rule.slice(5))
    return { ...base, matches: (call) => call.risk === risk }
  }
  if (!NAME_RULE.test(rule)) throw notARule(rule)
  const named = compileName(rule, grants)
  return { ...base, matches: (call) => named(call.tool) }
}

function compileName(rule: string, grants: boolean): (name: string) => boolean {
  if (rule === "*") return () => true
  const matches = compileGlob(grants ? rule : rule.toLowerCase())
  return grants ? matches : (name) => matches(name.toLowerCase())
}

function checkedRisk(risk: unknown): ToolRisk {
  const known = RISKS.find((one) => one === risk)
  if (known) return known
  throw new InvalidInput(`"${risk}" is not a risk: use "read", "write", "exec" or "network".`)
}

const notARule = (rule: unknown): InvalidInput =>
  new InvalidInput(
    `"${rule}" is not a rule: use a tool name, a glob such as "github.*", "risk:exec", or an object.`,
  )

const describeRule = (rule: PolicyRule): string =>
  JSON.stringify(rule, (_, value) => (typeof value === "function" ? value.name || "check" : value))

/** Linear in the length of the text: each piece is looked for once, left to right. */
function compileGlob(glob: string): (text: string) => boolean {
  if (!glob.includes("*")) return (text) => text === glob
  const pieces = glob.split("*")
  const first = pieces[0] ?? ""
  const last = pieces.at(-1) ?? ""
  const middle = pieces.slice(1, -1)
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
      return false
    let from = first.length
    for (const piece of middle) {
      const found = text.indexOf(piece, from)
      if (found < 0 || found + piece.length > text.length - last.length) return false
      from = found + piece.length
    }
    return true
  }
}

interface ArgumentTest {
  readonly path: readonly string[]
  readonly matches: (value: Json) => boolean
}

function compileArguments(given: PolicyRule["arguments"], grants: boolean): readonly ArgumentTest[] {
  if (given === undefined) return []
  if (!isObject(given)) throw new InvalidInput('"arguments" takes matchers by JSON Pointer.')
  return Object.entries(given).map(([pointer, matcher]) => {
    if (!/^(\/([^~]|~[01])*)?$/su.test(pointer)) {
      throw new InvalidInput(`"${pointer}" is not a JSON Pointer: write "/url" for the argument "url".`)
    }
    const path = pointer.split("/").slice(1)
    return {
      path: path.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")),
      matches: compileMatcher(matcher as unknown, pointer, grants),
    }
  })
}

function compileMatcher(matcher: unknown, pointer: string, grants: boolean): (value: Json) => boolean {
  const keys = isObject(matcher) ? Object.keys(matcher) : []
  if (isObject(matcher) && keys.length === 1) {
    const { equals, oneOf, prefix, glob } = matcher
    if (equals !== undefined) return oneOfMatcher([equals as Json], grants)
    if (Array.isArray(oneOf)) return oneOfMatcher(oneOf as Json[], grants)
    if (typeof prefix === "string")
      return textMatcher(prefix, (wanted) => (text) => text.startsWith(wanted), grants)
    if (typeof glob === "string") return textMatcher(glob, compileGlob, grants)
  }
  if (isObject(matcher) && keys.length > 0 && keys.every((key) => key === "min" || key === "max")) {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = matcher
    if (typeof min === "number" && typeof max === "number" && min <= max)
      return rangeMatcher(min, max, grants)
  }
  throw new InvalidInput(
    `The matcher for "${pointer}" is none: use one of equals, oneOf, prefix and glob, or min and max.`,
  )
}

function oneOfMatcher(wanted: readonly Json[], grants: boolean): (value: Json) => boolean {
  const forms = new Set(wanted.map((value) => form(value, grants)))
  const scalars = wanted.every((value) => !isNested(value))
  return (value) => forms.has(form(value, grants)) || (!grants && scalars && isNested(value))
}

function textMatcher(
  wanted: string,
  compile: (wanted: string) => (text: string) => boolean,
  grants: boolean,
): (value: Json) => boolean {
  const matches = compile(grants ? wanted : fold(wanted))
  if (grants) return (value) => typeof value === "string" && matches(value)
  return (value) => value !== null && (isNested(value) || matches(fold(String(value))))
}

function rangeMatcher(min: number, max: number, grants: boolean): (value: Json) => boolean {
  const within = (value: number): boolean => value >= min && value <= max
  if (grants) return (value) => typeof value === "number" && within(value)
  return (value) => {
    if (value === null) return false
    const number = isNested(value) ? Number.NaN : Number(fold(String(value)))
    return Number.isNaN(number) || within(number)
  }
}

const isNested = (value: Json): boolean => typeof value === "object" && value !== null

/** One text for all values that are the same: for a grant by content, otherwise also by spelling. */
function form(value: Json, grants: boolean): string {
  if (typeof value === "string" && !grants) {
    const text = fold(value)
    const number = text.trim() === "" ? Number.NaN : Number(text)
    return Number.isNaN(number) ? text : String(number)
  }
  if (typeof value !== "object" || value === null) return grants ? JSON.stringify(value) : String(value)
  if (Array.isArray(value)) return `[${value.map((item: Json) => quoted(item, grants)).join()}]`
  const members = Object.entries(value as JsonObject).map(
    ([key, member]) => `${JSON.stringify(grants ? key : fold(key))}:${quoted(member, grants)}`,
  )
  return `{${members.sort().join()}}`
}

const quoted = (value: Json, grants: boolean): string =>
  grants || isNested(value) ? form(value, grants) : JSON.stringify(form(value, grants))

/** Text without what a reader does not see: case, compatibility forms, invisible and control characters, spaces. */
function fold(text: string): string {
  return text
    .replace(/\s+/gu, " ")
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}]/gu, "")
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKC")
    .replace(/\s+/gu, " ")
    .trimStart()
}

function matchesArguments(
  tests: readonly ArgumentTest[],
  given: JsonObject | undefined,
  grants: boolean,
): boolean {
  if (given === undefined) return true
  assertPlain(given)
  return tests.every(({ path, matches }) => {
    const values = resolve(given, path, grants)
    return grants ? values.length > 0 && values.every(matches) : values.some(matches)
  })
}

function resolve(root: Json, path: readonly string[], grants: boolean): readonly Json[] {
  let values: readonly Json[] = [root]
  for (const step of path) {
    values = values.flatMap((value): readonly Json[] => {
      // A text where a list was expected is judged as the only item of that list, but never allowed for it.
      if (typeof value !== "object" || value === null) return step === "*" && !grants ? [value] : []
      if (step === "*") return Object.values(value)
      return Object.hasOwn(value, step) ? [(value as JsonObject)[step] as Json] : []
    })
  }
  return values
}

/** What is judged must be what is executed: no getters, no prototype to inherit from or to reach. */
export function assertPlain(value: unknown, depth = 0): void {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return
  if (typeof value !== "object" || depth > MAX_DEPTH)
    throw new InvalidInput("The arguments are not plain JSON.")
  const prototype: unknown = Object.getPrototypeOf(value)
  const plain = Array.isArray(value)
    ? prototype === Array.prototype
    : prototype === Object.prototype || prototype === null
  if (!plain) throw new InvalidInput("The arguments are not plain JSON.")
  for (const [key, member] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (key === "__proto__" || key === "constructor" || key === "prototype" || member.get || member.set) {
      throw new InvalidInput("The arguments are not plain JSON.")
    }
    assertPlain(member.value, depth + 1)
  }
}
