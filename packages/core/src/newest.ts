import type { Namespace } from "./namespace.ts"
import { readBack } from "./read-back.ts"
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
  for await (const entry of readBack(store, namespace, [type], 4, { to: before - 1 })) {
    if (fits(entry)) return entry
  }
  return undefined
}
