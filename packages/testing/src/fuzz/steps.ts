import type { ProviderErrorKind, WhenBusy } from "@orra/core"
import fc from "fast-check"

/** What a model writes in one answer, piece by piece. */
export type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "think"; readonly signed: boolean }
  | { readonly type: "redacted" }
  | { readonly type: "call"; readonly tool: ToolName; readonly args: Arguments; readonly id: CallId }
  /** The answer stops here until the sequence lets it go on, or the request is aborted. */
  | { readonly type: "gate" }

/** How an answer ends: as it should, with a failure the service states, cut off, or with bytes that are no answer. */
export type Ending = "whole" | "cut" | "garbage" | ProviderErrorKind

export interface ModelAnswer {
  readonly pieces: readonly Piece[]
  readonly end: Ending
}

/** What the tools of a sequence do; the model asks for one that does not exist as well. */
export const TOOLS = {
  look: "answers, and can be repeated",
  act: "answers, and cannot",
  fail: "throws",
  soft: "answers that it failed",
  big: "answers at length",
  blank: "answers with nothing",
  picture: "answers with an image",
  hang: "waits until it is let go or stopped",
  deaf: "waits until it is let go, stopped or not",
  forbidden: "is denied by policy",
  delicate: "needs an approval",
  later: "answers later, when it is executed again",
} as const

/** The tools of a team; where nobody is to hand a task to, they do not exist. */
export const DELEGATING = ["delegate_to_agent", "spawn_agent"] as const

export type ToolName = keyof typeof TOOLS | (typeof DELEGATING)[number] | "no_such_tool" | "bad name!" | ""
export type Arguments = "fine" | "broken" | "list" | "wrong" | "none" | "surrogate" | "prototype"
export type CallId = "new" | "same" | "none" | "odd" | "long"

/** What a person can write. */
export type Words = "plain" | "image" | "surrogate" | "long" | "empty"

/**
 * One thing that happens to a session. The next one comes when nothing moves any more: when all is done, or something
 * waits at a gate. `aside`: the next one comes at once.
 */
export type Step = { readonly aside?: boolean } & (
  | {
      readonly do: "send"
      readonly words: Words
      readonly whenBusy: WhenBusy
      readonly answers: readonly ModelAnswer[]
      /** How many events to read before the reader leaves; none to not read at all. */
      readonly read?: number
    }
  | { readonly do: "send again" }
  | { readonly do: "resume"; readonly answers: readonly ModelAnswer[] }
  | { readonly do: "edit"; readonly which: number; readonly answers: readonly ModelAnswer[] }
  | { readonly do: "regenerate"; readonly which: number; readonly answers: readonly ModelAnswer[] }
  | { readonly do: "switch branch"; readonly which: number }
  | { readonly do: "cancel"; readonly which: number }
  | { readonly do: "pin"; readonly which: number; readonly type: "user" | "assistant" }
  | { readonly do: "unpin"; readonly which: number }
  | { readonly do: "compact"; readonly answers: readonly ModelAnswer[] }
  | { readonly do: "stop" }
  | { readonly do: "open gates" }
  | { readonly do: "tick"; readonly turns: number }
  | { readonly do: "crash"; readonly recover: "close" | "resume" | "no" }
  /** Somebody decides about a call that waits; `forged`: about one that does not. */
  | {
      readonly do: "decide"
      readonly which: number
      readonly decision: "approve" | "deny"
      readonly remember?: "arguments" | "tool"
      readonly forged?: boolean
    }
  | { readonly do: "approve everything"; readonly end: boolean }
  | { readonly do: "wake" }
  | { readonly do: "detach" }
  | { readonly do: "restart" }
  | { readonly do: "swap"; readonly provider: number }
  /** The services take no thinking any more that they signed before. */
  | { readonly do: "new account" }
  | { readonly do: "rename" }
  | { readonly do: "delete" }
)

/** A sequence: how the runtime is set up, and what happens. */
export interface Sequence {
  readonly maxTokens: number
  readonly maxTurns: number
  /** Whether what is cut is summed up first. */
  readonly sumsUp: boolean
  readonly parallelTools: number
  /** Whether there are several agents, who hand on tasks. */
  readonly team: boolean
  /** Who answers at first. */
  readonly provider: number
  readonly steps: readonly Step[]
}

const TOOL_NAMES: readonly ToolName[] = [
  ...(Object.keys(TOOLS) as (keyof typeof TOOLS)[]),
  ...DELEGATING,
  "no_such_tool",
  "bad name!",
  "",
]

const FAILURES: readonly ProviderErrorKind[] = [
  "auth",
  "rate_limit",
  "overloaded",
  "context_length",
  "invalid_request",
  "model_not_found",
  "quota",
  "network",
  "timeout",
  "protocol",
]

const piece: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("text" as const),
      text: fc.constantFrom("Well, ", "yes. ", " ", "\n", "Ω 🌍 ", "x".repeat(400)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("think" as const), signed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Piece>({ type: "redacted" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("call" as const),
      tool: fc.constantFrom(...TOOL_NAMES),
      args: fc.oneof(
        { weight: 4, arbitrary: fc.constant<Arguments>("fine") },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Arguments>("broken", "list", "wrong", "none", "surrogate", "prototype"),
        },
      ),
      id: fc.constantFrom<CallId>("new", "new", "same", "none", "odd", "long"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("call" as const),
      tool: fc.constantFrom(...DELEGATING),
      args: fc.constant<Arguments>("fine"),
      id: fc.constantFrom<CallId>("new", "same", "none"),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Piece>({ type: "gate" }) },
)

const answer: fc.Arbitrary<ModelAnswer> = fc.record({
  pieces: fc.array(piece, { maxLength: 4, size: "max" }),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Ending>("whole") },
    { weight: 2, arbitrary: fc.constantFrom<Ending>("cut", "garbage", ...FAILURES) },
  ),
})

const answers = fc.array(answer, { maxLength: 3, size: "max" })
const which = fc.nat({ max: 7 })
const happens = <T extends Step>(weight: number, arbitrary: fc.Arbitrary<T>) => ({
  weight,
  arbitrary: arbitrary as fc.Arbitrary<Step>,
})
const is = <const D extends Step["do"]>(name: D) => fc.constant(name)

const send = fc.record(
  {
    do: is("send"),
    words: fc.constantFrom<Words>("plain", "plain", "plain", "image", "surrogate", "long", "empty"),
    whenBusy: fc.constantFrom<WhenBusy>("queue", "steer", "interrupt", "reject"),
    answers,
    read: fc.nat({ max: 6 }),
    aside: fc.boolean(),
  },
  { requiredKeys: ["do", "words", "whenBusy", "answers"] },
)

const decide = fc.record(
  {
    do: is("decide"),
    which,
    decision: fc.constantFrom("approve", "approve", "deny"),
    remember: fc.constantFrom("arguments", "tool"),
    forged: fc.boolean(),
    aside: fc.boolean(),
  },
  { requiredKeys: ["do", "which", "decision"] },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  happens(10, send),
  happens(1, fc.record({ do: is("send again"), aside: fc.boolean() })),
  happens(3, fc.record({ do: is("resume"), answers, aside: fc.boolean() })),
  happens(3, fc.record({ do: is("edit"), which, answers, aside: fc.boolean() })),
  happens(3, fc.record({ do: is("regenerate"), which, answers, aside: fc.boolean() })),
  happens(3, fc.record({ do: is("switch branch"), which, aside: fc.boolean() })),
  happens(1, fc.record({ do: is("cancel"), which, aside: fc.boolean() })),
  happens(
    2,
    fc.record({ do: is("pin"), which, type: fc.constantFrom("user", "assistant"), aside: fc.boolean() }),
  ),
  happens(1, fc.record({ do: is("unpin"), which, aside: fc.boolean() })),
  happens(2, fc.record({ do: is("compact"), answers, aside: fc.boolean() })),
  happens(3, fc.record({ do: is("stop"), aside: fc.boolean() })),
  happens(3, fc.record({ do: is("open gates"), aside: fc.boolean() })),
  happens(3, fc.record({ do: is("tick"), turns: fc.integer({ min: 1, max: 6 }), aside: fc.constant(true) })),
  happens(
    3,
    fc.record({ do: is("crash"), recover: fc.constantFrom("close", "resume", "no"), aside: fc.boolean() }),
  ),
  happens(8, decide),
  happens(1, fc.record({ do: is("approve everything"), end: fc.boolean(), aside: fc.boolean() })),
  happens(4, fc.record({ do: is("wake"), aside: fc.boolean() })),
  happens(1, fc.record({ do: is("detach"), aside: fc.boolean() })),
  happens(1, fc.record({ do: is("restart"), aside: fc.boolean() })),
  happens(4, fc.record({ do: is("swap"), provider: fc.nat({ max: 7 }) })),
  happens(3, fc.record({ do: is("new account") })),
  happens(1, fc.record({ do: is("rename"), aside: fc.boolean() })),
  happens(1, fc.record({ do: is("delete"), aside: fc.boolean() })),
)

/** Sequences of up to `maxSteps` steps. */
export const sequences = (maxSteps: number): fc.Arbitrary<Sequence> =>
  fc
    .record({
      // Enough, cut now and then, and so little that a turn by itself is too long.
      maxTokens: fc.constantFrom(200_000, 200_000, 200_000, 1_600, 900),
      maxTurns: fc.integer({ min: 1, max: 4 }),
      sumsUp: fc.boolean(),
      parallelTools: fc.constantFrom(1, 2, 8),
      team: fc.boolean(),
      provider: fc.nat({ max: 7 }),
      // Without a session nothing can happen to it.
      first: send,
      others: fc.array(step, { maxLength: maxSteps - 1, size: "max" }),
    })
    .map(({ first, others, ...setup }) => ({ ...setup, steps: [first as Step, ...others] }))
