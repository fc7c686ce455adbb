import { core, type Guarantee, testing } from "./guarantee.ts"

export const isolation: readonly Guarantee[] = [
  {
    id: "I1",
    title: "A namespace is a value, and nothing goes without it",
    promise:
      "Two namespaces have the same key exactly when they have the same segments, whatever is in them. A name that only begins alike is not below. Every method of the runtime, of a store and of its records that is called without a namespace throws `namespace_invalid` and touches nothing; the test goes through them by reflection.",
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
      {
        file: testing("isolation/isolation.test.ts"),
        suite: testing("isolation/isolation-conformance.ts"),
        test: "nothing is answered and nothing written without a namespace",
        mutation: {
          file: core("namespace.ts"),
          text: 'if (typeof key === "string" && Array.isArray(segments)) return key',
          replacement: "if (segments !== null) return key as string",
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
          text: "const exact = this.exact.get(namespace.key)",
          replacement: "const exact = [...this.exact.values()].flatMap((listeners) => [...listeners])",
        },
      },
      {
        file: "packages/testing/src/memory-store.test.ts",
        suite: "packages/testing/src/store/log.ts",
        test: "two tenants with the same ids see nothing of one another",
        mutation: {
          file: core("memory-store.ts"),
          text: "const session = this.#sessions.get(keyOf(namespace))\n    if (!session) return []",
          replacement:
            'const session = [...this.#sessions.values()].find((each) => each.info.namespace.key.endsWith(namespace.segments.at(-1) ?? ""))\n    if (!session) return []',
        },
      },
      {
        file: testing("isolation/isolation.test.ts"),
        suite: testing("isolation/isolation-conformance.ts"),
        test: "who does everything at once with the same ids sees nothing of the other",
        mutation: {
          file: core("open-logs.ts"),
          text: "const recent = this.#recent.get(key)",
          replacement: "const recent = this.#recent.values()[0]",
        },
      },
    ],
  },
  {
    id: "I3",
    title: "Guessed ids give nothing",
    promise:
      "The id of a run, a message, a session, a record or a place in a list or a log of somebody else answers exactly like one that nobody has, and changes nothing.",
    proofs: [
      {
        file: testing("isolation/isolation.test.ts"),
        suite: testing("isolation/isolation-conformance.ts"),
        test: "an id of the other answers like one that nobody has",
        mutation: {
          file: core("runtime.ts"),
          text: 'throw new NotFound("run")',
          replacement: "throw new NotFound(`run ${runId}`)",
        },
      },
    ],
  },
]
