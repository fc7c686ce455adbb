/*
 * Which words of a request are its own, and which are values that another request has others of. Nothing here asks a model:
 * a value is only taken from a text at a place that is known.
 */

/** A piece of a text that stands for itself, for a value that a plan lifted from it, or for a value that was given beside it. */
export type Piece =
  | { readonly text: string }
  /** `like`: what each part of the value looks like: "a" letters, "9" something with a digit, anything else itself. */
  | { readonly lifted: number; readonly like: readonly string[] }
  | { readonly given: string }

export type Template = readonly Piece[]

/** Values by the names of the fields in which they were given, as they would stand in a text. */
export type GivenTexts = ReadonlyMap<string, string>

/** Words and numbers, white space as one blank, and everything else character by character. */
const partsOf = (text: string): readonly string[] =>
  (text.trim().match(/[\p{L}\p{M}\p{N}]+|\s+|[^\p{L}\p{M}\p{N}\s]/gu) ?? []).map((part) =>
    /^\s/.test(part) ? " " : part,
  )

const likeOf = (part: string): string => {
  if (/\p{N}/u.test(part)) return "9"
  return /[\p{L}\p{M}]/u.test(part) ? "a" : part
}

const isWord = (part: string | undefined): boolean => part !== undefined && /[\p{L}\p{M}\p{N}]/u.test(part)

/**
 * The template of a text. Each lifted value must be in it once and stand apart from other words; a given one that is in it
 * must be there once.
 *
 * @returns why there is none, where that is not so: it could not be said what of another text the value is.
 */
export function templateOf(
  text: string,
  lifted: readonly string[],
  given: GivenTexts,
): { readonly template: Template } | { readonly why: string } {
  const parts = partsOf(text)
  const starts = new Map<number, { readonly piece: Piece; readonly length: number }>()
  const taken = new Set<number>()
  const place = (value: string, piece: Piece, isNeeded: boolean): string | undefined => {
    const own = partsOf(value)
    const found = own.length === 0 ? [] : placesOf(own, parts)
    const [at] = found
    if (at === undefined) return isNeeded ? `${value} is not in the request` : undefined
    if (found.length > 1) return `${value} is in the request more than once`
    if (!standsApart(parts, at, own.length)) return `${value} is a part of another word of the request`
    for (let index = at; index < at + own.length; index++) {
      if (taken.has(index)) return `${value} stands within another value`
      taken.add(index)
    }
    starts.set(at, { piece, length: own.length })
    return undefined
  }
  for (const [field, value] of given) {
    const why = place(value, { given: field }, false)
    if (why !== undefined) return { why }
  }
  for (const [index, value] of lifted.entries()) {
    const why = place(value, { lifted: index, like: partsOf(value).map(likeOf) }, true)
    if (why !== undefined) return { why }
  }
  const template: Piece[] = []
  for (let at = 0; at < parts.length; ) {
    const start = starts.get(at)
    template.push(start?.piece ?? { text: parts[at] ?? "" })
    at += start?.length ?? 1
  }
  return { template }
}

function placesOf(own: readonly string[], parts: readonly string[]): readonly number[] {
  const places: number[] = []
  for (let at = parts.indexOf(own[0] ?? ""); at >= 0; at = parts.indexOf(own[0] ?? "", at + 1))
    if (own.every((part, index) => parts[at + index] === part)) places.push(at)
  return places
}

/** Whether there is no word directly beside it, nor behind one sign: 17 is not taken out of 17.5, o-17 or 17:30. */
function standsApart(parts: readonly string[], at: number, length: number): boolean {
  const isFree = (first: string | undefined, second: string | undefined): boolean =>
    first === undefined || first === " " || (!isWord(first) && !isWord(second))
  const before = isFree(parts[at - 1], parts[at - 2])
  return before && isFree(parts[at + length], parts[at + length + 1])
}

/** What the lifted values are in another text; undefined when it is not the same but for its values. */
export function matched(template: Template, text: string, given: GivenTexts): readonly string[] | undefined {
  const parts = partsOf(text)
  const lifted: string[] = []
  let at = 0
  for (const piece of template) {
    if ("text" in piece) {
      if (parts[at++]?.toLowerCase() !== piece.text.toLowerCase()) return undefined
    } else if ("given" in piece) {
      const own = partsOf(given.get(piece.given) ?? "")
      if (own.length === 0 || !own.every((part, index) => parts[at + index] === part)) return undefined
      at += own.length
    } else {
      const own = parts.slice(at, at + piece.like.length)
      if (own.length < piece.like.length || !own.every((part, index) => likeOf(part) === piece.like[index]))
        return undefined
      lifted[piece.lifted] = own.join("")
      at += own.length
    }
  }
  return at === parts.length ? lifted : undefined
}

/** A template as people read it: "Refund order {orderId}". */
export const templateText = (template: Template, names: readonly string[]): string =>
  template
    .map((piece) => {
      if ("text" in piece) return piece.text
      return `{${"given" in piece ? piece.given : (names[piece.lifted] ?? piece.lifted)}}`
    })
    .join("")

/**
 * The words of a text that look like values: with digits or signs in them, in quotation marks, or with a capital letter
 * where no sentence begins. Two texts that mean the same differ in their words, and must not differ in these.
 */
export function specificsOf(text: string): readonly string[] {
  const found: string[] = []
  const rest = text.replace(/(?<![\p{L}\p{N}])(["“«‘'`])([^"”»’'`]+)["”»’'`]/gu, (_, __, inner: string) => {
    found.push(inner)
    return " "
  })
  let isFirst = true
  for (const chunk of rest.split(/\s+/)) {
    const word = chunk.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "")
    const isValue =
      /[\p{N}@/_\\:.-]/u.test(word) || /(?!^)\p{Lu}/u.test(word) || (!isFirst && /^\p{Lu}/u.test(word))
    if (word !== "" && isValue) found.push(word)
    if (word !== "") isFirst = /[.!?:]$/.test(chunk)
  }
  return found
}

/** What a text says besides its values: what is compared by meaning. */
export function commonText(text: string): string {
  const values = new Set(specificsOf(text))
  return text
    .split(/\s+/)
    .filter((chunk) => ![...values].some((value) => chunk.includes(value) || value.includes(chunk)))
    .join(" ")
}

/** What two values look like, to tell which is which. */
export const looksOf = (text: string): string => partsOf(text).map(likeOf).join("")
