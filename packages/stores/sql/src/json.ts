import { InvalidInput } from "@orra/core"
import { CorruptRow } from "./errors.ts"

/** The text of a value. @throws InvalidInput when it is not JSON. */
export function toJson(value: unknown, what: string): string {
  try {
    const text = JSON.stringify(value)
    if (text !== undefined) return text
  } catch {
    // A cycle, a BigInt, or nesting deeper than the stack: said below.
  }
  throw new InvalidInput(`${what} can only hold JSON: no cycle, no BigInt, no function, no endless nesting.`)
}

/** The value of a text that `toJson` made. @throws CorruptRow when the database changed it. */
export function fromJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new CorruptRow("A row is not JSON.")
  }
}
