import { keyOf, type Namespace } from "@orra/core"

/** What each session has seen of each file, so that it does not overwrite what it has not. */
export interface Seen {
  set(session: { readonly namespace: Namespace }, path: string, state: string): void
  /** The state the session last saw; undefined when it never did, or too long ago. */
  get(session: { readonly namespace: Namespace }, path: string): string | undefined
}

/** The newest are kept: a help for careful work, not a record. */
const MOST = 10_000

export function seenFiles(): Seen {
  const states = new Map<string, string>()
  const keyFor = (namespace: Namespace, path: string): string => `${keyOf(namespace)}\0${path}`
  return {
    set({ namespace }, path, state) {
      const key = keyFor(namespace, path)
      states.delete(key)
      states.set(key, state)
      const [oldest] = states.size > MOST ? states.keys() : []
      if (oldest !== undefined) states.delete(oldest)
    },
    get: ({ namespace }, path) => states.get(keyFor(namespace, path)),
  }
}
