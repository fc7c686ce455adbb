import { type Hooks, isDelegated, type Runtime, type UserMessage } from "@orra/core"

/** Longest automatic title, in code points. */
const MAX_POINTS = 60

/**
 * Gives a session its title when its first answer begins: from what was asked, without asking a model. A session
 * that has a title keeps it.
 */
export function titleHook(runtime: () => Runtime): Hooks {
  return {
    name: "titles",
    async runStart({ namespace, metadata }) {
      // A person who took the title away wants none.
      if (metadata["title"] !== undefined || metadata["renamed"] === true) return
      // What agents hand to one another is in no list.
      if (isDelegated(namespace)) return
      const [first] = await runtime().store.read(namespace, { types: ["user"], limit: 1 })
      if (first?.type !== "user") return
      const title = titleOf(first.message)
      if (title === "" || (await runtime().info(namespace))?.metadata["title"] !== undefined) return
      await runtime().update(namespace, { title })
    },
  }
}

/** A title from a message: its first line, its first sentence, or as many words of it as fit. */
export function titleOf(message: UserMessage): string {
  for (const part of message.parts) {
    if (part.type === "text") {
      const title = titleOfText(part.text)
      if (title !== "") return title
    } else if (part.type === "file") return shorten(clean(part.name))
  }
  return ""
}

function titleOfText(text: string): string {
  for (const line of text.slice(0, 4_000).split(/[\r\n\u2028\u2029]+/)) {
    const words = clean(line)
      .replace(/^(?:#{1,6}|>|[-*+]) +/, "")
      // To whom it was said is above the answer.
      .replace(/^@[^\s,:]+[\s,:]+(?=\S)/, "")
    if (words !== "" && !/^(?:```|~~~)/.test(words)) return shorten(words)
  }
  return ""
}

/** Without control characters and marks that turn the direction of text, which could garble the list. */
const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " ")
    .replace(/\s+/gu, " ")
    .trim()

function shorten(text: string): string {
  if (length(text) <= MAX_POINTS) return text
  const sentence = /^.*?[.!?。！？](?=\s|$|\p{Script=Han})/u.exec(text)?.[0]
  if (sentence !== undefined && length(sentence) >= MAX_POINTS / 3 && length(sentence) <= MAX_POINTS)
    return sentence
  const byWord = fitting(text, "word")
  // One endless word, such as an address, is cut inside.
  const cut = length(byWord) >= MAX_POINTS / 3 ? byWord : fitting(text, "grapheme")
  return `${cut.replace(/[\s,;:.\-–—]+$/u, "")}…`
}

function fitting(text: string, granularity: "word" | "grapheme"): string {
  let result = ""
  for (const { segment } of new Intl.Segmenter(undefined, { granularity }).segment(text)) {
    if (length(result) + length(segment) > MAX_POINTS - 1) break
    result += segment
  }
  return result
}

const length = (text: string): number => [...text].length
