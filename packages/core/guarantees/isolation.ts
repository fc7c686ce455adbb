import { core, type Guarantee } from "./guarantee.ts"

export const isolation: readonly Guarantee[] = [
  {
    id: "I1",
    title: "A namespace is a value, and nothing goes without it",
    promise:
      "Two namespaces have the same key exactly when they have the same segments, whatever is in them. A name that only begins alike is not below.",
    proofs: [
      {
        file: core("namespace.test.ts"),
        test: "property: moving a boundary between segments changes the key",
        mutation: {
          file: core("namespace.ts"),
          text: 'char === ":" || char === "%" || char < " "',
          replacement: 'char === "%" || char < " "',
        },
      },
      {
        file: core("namespace.test.ts"),
        test: "a name that only begins alike is not below",
        mutation: {
          file: core("namespace.ts"),
          text: "other.key.startsWith(`${this.key}:`)",
          replacement: "other.key.startsWith(this.key)",
        },
      },
    ],
  },
  {
    id: "I2",
    title: "Tenants with the same ids never meet",
    promise:
      "Two tenants may use the same session, message, run, call and idempotency ids: nothing of one reaches the other's requests, tools, events, lists, cursors or errors.",
    proofs: [
      {
        file: core("broadcast.test.ts"),
        test: "never see a word of each other, in requests or in events",
        mutation: {
          file: core("hub.ts"),
          text: "for (const listener of this.#exact.get(namespace.key) ?? []) listener(item)",
          replacement: "for (const all of this.#exact.values()) for (const listener of all) listener(item)",
        },
      },
      {
        file: "packages/testing/src/memory-store.test.ts",
        suite: "packages/testing/src/store/log.ts",
        test: "two tenants with the same ids see nothing of one another",
        mutation: {
          file: core("memory-store.ts"),
          text: "const session = this.#sessions.get(namespace.key)\n    if (!session) return []",
          replacement:
            'const session = [...this.#sessions.values()].find((each) => each.info.namespace.key.endsWith(namespace.segments.at(-1) ?? ""))\n    if (!session) return []',
        },
      },
    ],
  },
]
