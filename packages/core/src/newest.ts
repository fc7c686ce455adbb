import type { Namespace } from "./namespace.ts"
import type { Entry } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** The newest entry of a type that fits, looked for from the end: what is asked for is nearly always there. */
export async function newest<T extends Entry["type"]>(
  store: SessionStore,
  namespace: Namespace,
  type: T,
  fits: (entry: Entry<T>) => boolean,
  before = Number.MAX_SAFE_INTEGER,
): Promise<Entry<T> | undefined> {
  for (let limit = 4; ; limit = Math.min(limit * 4, 500)) {
    const page = await store.read(namespace, { types: [type], direction: "backward", limit, before })
    const found = page.find((entry): entry is Entry<T> => entry.type === type && fits(entry as Entry<T>))
    if (found || page.length < limit) return found
    before = page.at(-1)?.seq ?? 0
  }
}
