import { agentKey, foldCharacter } from "./agent.ts"

/** Whom a text speaks to: the name as it is configured, and the text without the mention. */
export interface Mention {
  readonly name: string
  readonly text: string
}

/**
 * The first `@name` in a text, of the names given. Letters of either case are the same; the name has to stand as a word
 * of its own, so an e-mail address, a path and a longer name are no mention; of two names that fit, the longer one is
 * meant. The time taken grows with the length of the text, whatever is in it.
 *
 * ```ts
 * findMention("Could you look, @codebot?", ["Atlas", "CodeBot"]) // { name: "CodeBot", text: "Could you look, ?" }
 * findMention("Write to bob@atlas.example", ["Atlas"])           // undefined
 * ```
 */
export function findMention(text: string, names: Iterable<string>): Mention | undefined {
  const candidates = Array.from(names, (name) => ({ name, key: agentKey(name) }))
    .filter(({ key }) => key !== "")
    .sort((a, b) => b.key.length - a.key.length)
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (!canStart(text, at)) continue
    for (const { name, key } of candidates) {
      const end = endOf(key, text, at + 1)
      if (end !== undefined && canEnd(text, end)) return { name, text: without(text, at, end) }
    }
  }
  return undefined
}

/** Where the name ends that begins at `from`, when it is there. */
function endOf(key: string, text: string, from: number): number | undefined {
  let index = from
  for (let matched = 0; matched < key.length; ) {
    const char = charAt(text, index)
    const folded = foldCharacter(char)
    if (folded === "" || !key.startsWith(folded, matched)) return undefined
    matched += folded.length
    index += char.length
  }
  return index
}

const WORD = /^[\p{L}\p{N}\p{Pc}]/u
const MARK = /^\p{M}/u
/** Says that the character before is to be drawn as text or as an emoji: it makes no other letter of it. */
const VARIATION = /^[\ufe0e\ufe0f]/u

/** False within a word, and after what ends the local part of an e-mail address or stands in a link. */
function canStart(text: string, at: number): boolean {
  let index = at
  let before = charBefore(text, index)
  while (MARK.test(before)) {
    index -= before.length
    before = charBefore(text, index)
  }
  return !WORD.test(before) && !["@", "%", "+", "-", "/"].includes(before)
}

function canEnd(text: string, end: number): boolean {
  const next = charAt(text, end)
  if (next === "-") return !WORD.test(charAt(text, end + 1))
  return !WORD.test(next) && next !== "@" && (!MARK.test(next) || VARIATION.test(next))
}

/** The text without what is from `start` to `end`, and without the space that only kept it apart. */
function without(text: string, start: number, end: number): string {
  const before = text.slice(0, start)
  const after = text.slice(end)
  if (after === "") return before.replace(/\s$/u, "")
  return before + (/(^|\s)$/u.test(before) ? after.replace(/^\s/u, "") : after)
}

function charAt(text: string, index: number): string {
  const code = text.codePointAt(index)
  return code === undefined ? "" : String.fromCodePoint(code)
}

function charBefore(text: string, index: number): string {
  const pair = charAt(text, index - 2)
  return pair.length === 2 ? pair : charAt(text, index - 1)
}
