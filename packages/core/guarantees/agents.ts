import { core, type Guarantee } from "./guarantee.ts"

export const agents: readonly Guarantee[] = [
  {
    id: "C2",
    title: "Whoever is asked holds what their caller held, and no more",
    promise:
      "A delegated run carries an envelope in its log: who delegated, how deep, until when, with what rights. Its rights are the meet of its own and of everybody's above it, whatever is changed meanwhile; its time is never more than its caller has left; what it spends is spent by everybody above it and bounded by what is left to them. Depth and number are bounded, and a task never goes in a circle. It ends with the run that asked for it.",
    proofs: [
      {
        file: core("delegation.test.ts"),
        test: "are never more than the caller's, whatever the layers say",
        mutation: {
          file: core("team.ts"),
          text: 'return policies.within([...(envelope.bounds ?? []), ...chain], "delegation")',
          replacement: "return policies",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "do not grow when the caller's policy is widened meanwhile, and end when the caller is removed",
        mutation: {
          file: core("delegation.ts"),
          text: "...frozen(this.#profile(caller)?.policy)",
          replacement: "...frozen(undefined)",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "never has more time than its caller has left",
        mutation: {
          file: core("delegation.ts"),
          text: "deadline: Math.min(now() + timeoutMs, envelope?.deadline ?? Number.POSITIVE_INFINITY)",
          replacement: "deadline: now() + timeoutMs",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "ends after so many times, and the refusal says who is at work",
        mutation: {
          file: core("delegation.ts"),
          text: "if (chain.length > maxDepth) {",
          replacement: "if (chain.length > maxDepth + 1) {",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "never goes in a circle, whatever the case of the name",
        mutation: {
          file: core("delegation.ts"),
          text: "if (!to.helper && chain.some(",
          replacement: "if (to.helper && chain.some(",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "is so many tasks for one run, however they are asked for",
        mutation: {
          file: core("delegation.ts"),
          text: "if (others.length < maxFanOut) return",
          replacement: "if (others.length <= maxFanOut) return",
        },
      },
      {
        file: core("delegation-wait.test.ts"),
        test: "does nothing any more when the session that asked for it is gone",
        mutation: {
          file: core("delegation.ts"),
          text: 'return { end: "The run that asked for this is over." }',
          replacement: "return undefined",
        },
      },
      {
        file: core("envelope.test.ts"),
        test: "a run with an envelope is shown, and may call, what its rights allow",
        mutation: {
          file: core("driver.ts"),
          text: "settings.rights?.(envelope, ",
          replacement: "settings.rights?.call(undefined, { ...envelope, agents: [] }, ",
        },
      },
    ],
  },
  {
    id: "C3",
    title: "Who is asked hears what they are told",
    promise:
      "A delegated task is done in a session of its own below its caller's. The agent that is asked sees the task and the context that were declared, and nothing else of the conversation; that its caller has read what strangers wrote goes with it, and comes back.",
    proofs: [
      {
        file: core("delegation.test.ts"),
        test: "is done in a session below its caller's, by the agent asked for, who hears nothing else",
        mutation: {
          file: core("delegation.ts"),
          text: "const session = delegatedIn(namespace).child(",
          replacement: 'const session = namespace.child("agents").child(',
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "is known to whoever is asked by somebody who read it",
        mutation: {
          file: core("delegation.ts"),
          text: "...(context.tainted && { tainted: true }),",
          replacement: "",
        },
      },
      {
        file: core("delegation.test.ts"),
        test: "marks the answer of whoever read it, so that the caller's policy knows",
        mutation: {
          file: core("delegation.ts"),
          text: "untrusted = event.tainted ?? false",
          replacement: "untrusted = false",
        },
      },
    ],
  },
]
