import { core, type Guarantee } from "./guarantee.ts"

/** The laws of the house that are not one of the numbered promises below. */
export const laws: readonly Guarantee[] = [
  {
    id: "L3",
    title: "Write first, act second",
    promise:
      "A message is durable before the model is asked, and the intent of an effect before the effect. Where it cannot be written nothing is done.",
    proofs: [
      {
        file: core("runtime.test.ts"),
        test: "the user's message is durable before the model is asked",
        mutation: {
          file: core("driver.ts"),
          text: "...entries,\n          {",
          replacement: "{",
        },
      },
      {
        file: core("effect.test.ts"),
        test: "the intent is durable before the tool runs: where it cannot be written, nothing runs",
        mutation: {
          file: core("effect.ts"),
          text: "if (intents.length > 0) await effects.record(intents)",
          replacement: "void effects.record(intents)",
        },
      },
    ],
  },
  {
    id: "L4",
    title: "One writer per session",
    promise:
      "Runs in one namespace are serialised across processes by a lease whose token grows. A writer that lost it is refused, writes nothing more, and says so.",
    proofs: [
      {
        file: core("driver.test.ts"),
        test: "the one that lost its lease writes nothing any more and says so",
        mutation: {
          file: core("memory-leases.ts"),
          text: "if (held && held.token === lease?.token && held.expiresAt > this.#now()) return",
          replacement: "if (held && held.owner === lease?.owner && held.expiresAt > this.#now()) return",
        },
      },
      {
        file: "packages/testing/src/memory-store.test.ts",
        suite: "packages/testing/src/store/leases.ts",
        test: "an expired lease writes nothing",
        mutation: {
          file: core("memory-leases.ts"),
          text: "held.token === lease?.token && held.expiresAt > this.#now()",
          replacement: "held.token === lease?.token",
        },
      },
    ],
  },
  {
    id: "L5",
    title: "One loop",
    promise: "Waited for, streamed or left to itself, a run is the same and leaves the same log.",
    proofs: [
      {
        file: core("loop.test.ts"),
        test: "waited for, streamed or left to itself, the same run leaves the same log",
        mutation: {
          file: core("runtime.ts"),
          text: "const { submission, result } = await this.#send(namespace, input, options)",
          replacement:
            "const { submission, result } = await this.#send(namespace, input, { ...options, maxTurns: 1 })",
        },
      },
    ],
  },
  {
    id: "L7",
    title: "A check that fails forbids",
    promise:
      "A hook that throws before an effect prevents it and is named; one that does not end is left when the run is stopped, and nothing it guarded happens.",
    proofs: [
      {
        file: core("hooks.test.ts"),
        test: "before an effect prevents it, says which hook it was, and the next message is answered",
        mutation: {
          file: core("hook-calls.ts"),
          text: 'throw new OrraError("hook_failed",',
          replacement: 'if (error) return undefined as never\n    throw new OrraError("hook_failed",',
        },
      },
      {
        file: core("hooks.test.ts"),
        test: "before a call refuses that call; after it, is reported and changes nothing",
        mutation: {
          file: core("effect.ts"),
          text: 'return refuse(hook.name ?? "hook", "the check before this call failed", call)',
          replacement: "",
        },
      },
    ],
  },
  {
    id: "L9",
    title: "What strangers wrote is known to be theirs",
    promise:
      "A session that has read the answer of a tool marked untrusted is tainted from then on, in the log, so that policy sees it in the next run and in the next process.",
    proofs: [
      {
        file: core("policy-taint.test.ts"),
        test: "is tainted from then on: in the run, in the next one, and in another process",
        mutation: {
          file: core("session-log.ts"),
          text: 'if ("untrusted" in entry || "tainted" in entry) this.tainted = true',
          replacement: "",
        },
      },
    ],
  },
  {
    id: "L10",
    title: "Nothing is spent unasked",
    promise:
      "No model is asked without a person, a job or an event behind it: not for a message that was withdrawn, not for a run that is only closed.",
    proofs: [
      {
        file: core("steering.test.ts"),
        test: "a message withdrawn before the run took it leaves nothing to answer: no model is asked",
        mutation: {
          file: core("loop.ts"),
          text: "if (answered && !steered) return",
          replacement: "if (answered && !steered && turn < 0) return",
        },
      },
    ],
  },
  {
    id: "L11",
    title: "The core is small",
    promise:
      "`@orra/core` has no dependency of any kind; the size of a runtime with one tool is checked with every build.",
    proofs: [
      {
        file: core("index.test.ts"),
        test: "the package has no runtime dependency of any kind",
        mutation: {
          file: "packages/core/package.json",
          text: '"devDependencies": {',
          replacement: '"dependencies": {},\n  "devDependencies": {',
        },
      },
    ],
  },
]

/** The laws of the house, and what holds each of them. */
export const heldBy: Readonly<Record<string, readonly string[]>> = {
  "A namespace is a value": ["I1", "I2", "I3"],
  "One door for effects": ["P3"],
  "Write first, act second": ["L3", "D1"],
  "One writer per session": ["L4", "C1"],
  "One loop": ["L5"],
  "Rights only narrow": ["P1", "P2", "C2"],
  "Fail closed": ["P4", "L7", "D4"],
  "The transcript is always valid": ["T1", "T2", "T5"],
  "What comes from outside is data": ["L9", "C3"],
  "Nothing is spent unasked": ["L10", "B1"],
  "The core is small": ["L11"],
}
