import { everyItem, InvalidInput, type Namespace, type Records, type SessionStore } from "@orra/core"

/** The time that all engines of a store go by, in ms since 1970. */
export const timeOf = async (store: Pick<SessionStore, "now">): Promise<number> =>
  (await store.now?.()) ?? Date.now()

/** All values of a collection in a namespace, by their keys. Only what was written as `T` may be in it. */
export async function allIn<T>(records: Records, namespace: Namespace): Promise<readonly T[]> {
  const found: T[] = []
  for await (const { value } of everyItem((page) => records.list(namespace, page)))
    found.push(value as unknown as T)
  return found
}

const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

export const isName = (text: unknown): text is string => typeof text === "string" && NAME.test(text)

/** @throws InvalidInput for what cannot be a name; `what` is whose it would be. */
export function nameOf(what: string, text: unknown): string {
  if (isName(text)) return text
  throw new InvalidInput(
    `The ${what} is 3 to 63 of a-z, 0-9, dots and dashes, with a letter or digit first and last.`,
  )
}
