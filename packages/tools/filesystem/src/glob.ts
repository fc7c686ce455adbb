import { FilesystemError } from "./errors.ts"

/** A part of a name: these characters, one character, any number of them, or one of some. */
type Token = string | { readonly type: "one" | "any" } | CharClass

interface CharClass {
  readonly type: "class"
  readonly has: (char: string) => boolean
}

/** A name of a path, or any number of folders. */
type Step = readonly Token[] | "folders"

/** A glob that is read: what `fits` takes. */
export type Glob = readonly Step[]

const ONE: Token = { type: "one" }
const ANY: Token = { type: "any" }

/**
 * Reads a glob: `*`, `?`, `[a-z]`, `[!a]` within a name, `**` across folders, `\` before a sign that means itself.
 * Patterns come from models and repositories, so that none may take long: each is matched in time that grows with its
 * length and the path's, and never by trying everything.
 */
export function parseGlob(text: string): Glob {
  const steps: Step[] = []
  let tokens: Token[] = []
  let stars = 0
  const end = (isLast: boolean): void => {
    // Two stars or more that stand alone are any number of folders; at the end, whatever is in them.
    const isDeep = stars > 1 && tokens.every((token) => token === ANY)
    if (isDeep) steps.push("folders")
    if (!isDeep || isLast) steps.push(isDeep ? [ANY] : tokens)
    tokens = []
    stars = 0
  }
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    const close = char === "[" ? classEnd(text, index) : -1
    if (char === "/") end(false)
    else if (char === "*") {
      stars++
      if (tokens.at(-1) !== ANY) tokens.push(ANY)
    } else if (char === "?") tokens.push(ONE)
    else if (close > 0) {
      tokens.push({ type: "class", has: classOf(text.slice(index + 1, close)) })
      index = close
    } else {
      const literal = char === "\\" && index + 1 < text.length ? text.charAt(++index) : char
      const last = tokens.at(-1)
      if (typeof last === "string") tokens[tokens.length - 1] = last + literal
      else tokens.push(literal)
    }
  }
  end(true)
  return steps
}

/** Whether a path, as its names, fits. */
export function fits(glob: Glob, names: readonly string[]): boolean {
  // The last "any number of folders" is the only one that has to be tried again.
  let [step, name, retryStep, retryName] = [0, 0, -1, 0]
  while (name < names.length) {
    const wanted = glob[step]
    if (wanted === "folders") {
      retryStep = ++step
      retryName = name
    } else if (wanted && fitsName(wanted, names[name] ?? "")) {
      step++
      name++
    } else if (retryStep >= 0) {
      step = retryStep
      name = ++retryName
    } else return false
  }
  return step === glob.length
}

function fitsName(tokens: readonly Token[], name: string): boolean {
  const [only] = tokens
  if (tokens.length === 1 && typeof only === "string") return name === only
  let [token, at, retryToken, retryAt] = [0, 0, -1, 0]
  while (at < name.length || token < tokens.length) {
    const wanted = tokens[token]
    const length = wanted === undefined ? -1 : lengthAt(wanted, name, at)
    if (wanted === ANY) {
      retryToken = ++token
      retryAt = at
    } else if (length > 0) {
      token++
      at += length
    } else if (retryToken >= 0 && retryAt < name.length) {
      token = retryToken
      retryAt += charAt(name, retryAt).length
      at = retryAt
    } else return false
  }
  return true
}

/** How much of a name one token takes; -1 when it does not fit. */
function lengthAt(token: Token, name: string, at: number): number {
  if (typeof token === "string") return name.startsWith(token, at) ? token.length : -1
  if (at >= name.length || token.type === "any") return -1
  const char = charAt(name, at)
  return token.type !== "class" || token.has(char) ? char.length : -1
}

const charAt = (text: string, at: number): string => String.fromCodePoint(text.codePointAt(at) ?? 0)

/** The index of the bracket that closes a class; the first one in it means itself. */
function classEnd(glob: string, start: number): number {
  let index = start + 1
  if (glob.charAt(index) === "!" || glob.charAt(index) === "^") index++
  for (index++; index < glob.length; index++) {
    if (glob.charAt(index - 1) === "\\") continue
    if (glob.charAt(index) === "]") return index
  }
  return -1
}

function classOf(body: string): (char: string) => boolean {
  const negated = /^[!^]/.test(body)
  const points = [...(negated ? body.slice(1) : body).replace(/\\(.)/gsu, "$1")]
  const ranges: (readonly [from: string, to: string])[] = []
  for (let index = 0; index < points.length; index++) {
    const [from = "", dash, to] = points.slice(index, index + 3)
    if (dash === "-" && to !== undefined) {
      ranges.push([from, to])
      index += 2
    } else ranges.push([from, from])
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== negated
}

/** Choices that braces may stand for, all together. */
const CHOICES = 100

/** `a{b,c}` as `ab` and `ac`. Braces that are not closed mean themselves. */
function choices(glob: string): readonly string[] {
  const done: string[] = []
  const left = [glob]
  for (let text = left.pop(); text !== undefined; text = left.pop()) {
    // The innermost first, so that there are none in it.
    const found = /(?<!\\)\{((?:[^{}\\]|\\.)*)(?<!\\)\}/su.exec(text)
    if (!found) done.push(text)
    else {
      const [whole, inner = ""] = found
      for (const choice of inner.split(/(?<!\\),/))
        left.push(text.slice(0, found.index) + choice + text.slice(found.index + whole.length))
    }
    if (done.length + left.length > CHOICES)
      throw new FilesystemError(
        "pattern_invalid",
        `The glob has more than ${CHOICES} choices: use several searches.`,
      )
  }
  return done
}

const LONGEST = 1_000

/**
 * Whether a path fits a glob of a model: as `parseGlob`, and `{a,b}`. One without a slash is about the name alone.
 *
 * @throws FilesystemError (`pattern_invalid`)
 */
export function globMatcher(glob: string): (path: string) => boolean {
  if (glob.length > LONGEST)
    throw new FilesystemError("pattern_invalid", `The glob is longer than ${LONGEST} characters.`)
  const plain = glob.replace(/^(?:\.?\/)+/, "")
  const whole = plain.endsWith("/") ? `${plain}**` : plain
  const globs = choices(whole).map((choice): Glob => {
    const steps = parseGlob(choice)
    return choice.includes("/") ? steps : ["folders", ...steps]
  })
  return (path) => {
    const names = path.split("/")
    return globs.some((steps) => fits(steps, names))
  }
}
