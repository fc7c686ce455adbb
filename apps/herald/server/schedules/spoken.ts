/** Reads pieces of a text one after the other, wherever they stand, and knows what is left of it. */
export class Spoken {
  #rest: string

  constructor(text: string) {
    this.#rest = ` ${digits(
      text
        .normalize("NFKC")
        .toLowerCase()
        .replace(/[\s,]+/g, " ")
        .trim(),
    )} `
  }

  /** The first match as whole words, taken out of the text; undefined when there is none. */
  take(pattern: RegExp): readonly string[] | undefined {
    const found = new RegExp(`(?<=\\s)(?:${pattern.source})(?=\\s)`).exec(this.#rest)
    if (!found) return undefined
    this.#rest = `${this.#rest.slice(0, found.index)}|${this.#rest.slice(found.index + found[0].length)}`
    return found.map((part) => part ?? "")
  }

  /** What nobody has taken, without words that say nothing of themselves. */
  get left(): string {
    return this.#rest
      .replace(/\b(?:at|on|the|of|and|in|please|remind me|from|starting|a|o'?clock)\b/g, " ")
      .replace(/[|\s]+/g, " ")
      .trim()
  }
}

const ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split(
  " ",
)
const MORE = "sixteen seventeen eighteen nineteen".split(" ")
const TENS = ["twenty", "thirty", "forty", "fifty"]
const ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split(" ")

const SMALL = new Map([...ONES, ...MORE].map((word, index) => [word, index + 1]))

/** Numbers in words as digits: "twenty-five" is "25". */
function digits(text: string): string {
  return text
    .replace(
      new RegExp(`\\b(${TENS.join("|")})(?:[ -](${ONES.slice(0, 9).join("|")}))?\\b`, "g"),
      (_, tens, one) => String((TENS.indexOf(tens) + 2) * 10 + (SMALL.get(one) ?? 0)),
    )
    .replace(new RegExp(`\\b(?:${[...SMALL.keys()].join("|")})\\b`, "g"), (word) => String(SMALL.get(word)))
    .replace(new RegExp(`\\b(?:${ORDINALS.join("|")})\\b`, "g"), (word) => `${ORDINALS.indexOf(word) + 1}th`)
}
