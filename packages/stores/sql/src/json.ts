import { InvalidInput } from "@orra/core"
import { corrupt } from "./errors.ts"

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

/** The value of a text that `toJson` made. @throws StoreError (`store_corrupt`) when the file changed it. */
export function fromJson<T>(path: string, text: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw corrupt(path, "A row is not JSON.")
  }
}
