import { type Entry, type EntryBody, NO_USAGE, type SessionInfo, userMessage } from "@orra/core"
import { expect, test } from "vitest"
import { historyProblems } from "./check.ts"
import type { Action, HistoryEvent } from "./history.ts"
import { sessionOf } from "./world.ts"

const SESSION = sessionOf(0)
const session = SESSION.key

const RUN = { runId: "r1" } as const
const KEEP = {
  ...RUN,
  callId: "k",
  name: "keep",
  arguments: { what: "c1-1.0" },
  idempotencyKey: "K",
} as const
const PAY = { ...RUN, callId: "p", name: "pay", arguments: { what: "c1-1.1" }, idempotencyKey: "P" } as const
const MINE = { inputId: "c1-1", message: userMessage("c1-1: keep pay") } as const
const YOURS = { inputId: "c2-1", message: userMessage("c2-1: ") } as const

const result = (callId: string, name: string): EntryBody => ({
  type: "tool_result",
  ...RUN,
  callId,
  result: { type: "tool_result", callId, name, status: "ok", content: [] },
})
const says = (runId: string, text: string, ...calls: readonly (typeof KEEP | typeof PAY)[]): EntryBody => ({
  type: "assistant",
  runId,
  messageId: text,
  message: {
    role: "assistant",
    parts: [
      { type: "text", text },
      ...calls.map((call) => ({ type: "tool_call" as const, id: call.callId, ...call })),
    ],
  },
  status: "complete",
})

/** A session in which all is as it should be; undefined for a draft that is gone. */
const LOG: readonly (EntryBody | undefined)[] = [
  { type: "user", ...MINE },
  { type: "run_started", ...RUN },
  undefined,
  says("r1", "aa goes on", KEEP, PAY),
  { type: "tool_intent", ...KEEP, decision: "allow", reason: "" },
  { type: "tool_intent", ...PAY, decision: "ask", reason: "" },
  { type: "approval_request", ...PAY, approvalId: "A", digest: "", reason: "", expiresAt: 1 },
  result("k", "keep"),
  { type: "run_waiting", ...RUN, approvals: 1, usage: NO_USAGE, durationMs: 1 },
  { type: "approval_decision", ...RUN, callId: "p", approvalId: "A", decision: "approve", by: "eve" },
  { type: "input", ...YOURS, mode: "queue" },
  { type: "run_resumed", ...RUN },
  { type: "tool_intent", ...PAY, decision: "allow", reason: "", approval: { by: "eve", approvalId: "A" } },
  result("p", "pay"),
  says("r1", "bb answers c1-1"),
  { type: "run_finished", ...RUN, outcome: "completed", usage: NO_USAGE },
  { type: "user", ...YOURS },
  { type: "run_started", runId: "r2" },
  says("r2", "cc answers c1-1 c2-1"),
  { type: "run_finished", runId: "r2", outcome: "completed", usage: NO_USAGE },
]

const effect = { type: "effect", session, runId: "r1" } as const
const keeps: HistoryEvent = {
  ...effect,
  tool: "keep",
  what: "c1-1.0",
  callId: "k",
  key: "K",
  idempotent: true,
}
const pays: HistoryEvent = {
  ...effect,
  tool: "pay",
  what: "c1-1.1",
  callId: "p",
  key: "P",
  idempotent: false,
}
const sends = (inputId: string, text: string, type: "send" | "ask" = "send"): Action => ({
  type,
  session,
  inputId,
  text,
  whenBusy: "queue",
})
const asks = (op: number, action: Action): HistoryEvent => ({ type: "invoke", op, process: "p", action })
const writes = (write: string, from: number, to: number, token?: number): readonly HistoryEvent[] => [
  {
    type: "writing",
    write,
    session,
    expected: from - 1,
    token,
    entries: LOG.slice(from - 1, to).map((body) => body?.type ?? "delta"),
  },
  { type: "written", write },
]

const HISTORY: readonly HistoryEvent[] = [
  asks(1, sends("c1-1", "c1-1: keep pay", "ask")),
  ...writes("p1/1", 1, 2, 7),
  { type: "said", text: "aa goes on" },
  ...writes("p1/2", 3, 8, 7),
  keeps,
  ...writes("p1/3", 9, 9, 7),
  { type: "ok", op: 1, answer: { runId: "r1", outcome: "waiting", text: "aa goes on" } },
  asks(2, { type: "decide", session, approvalId: "A", decision: "approve" }),
  ...writes("p2/1", 10, 10),
  { type: "ok", op: 2 },
  asks(3, sends("c2-1", "c2-1: ", "ask")),
  ...writes("p2/2", 11, 11),
  ...writes("p2/3", 12, 14, 9),
  pays,
  { type: "said", text: "bb answers c1-1" },
  ...writes("p2/4", 15, 16, 9),
  { type: "said", text: "cc answers c1-1 c2-1" },
  ...writes("p2/5", 17, 20, 9),
  { type: "ok", op: 3, answer: { runId: "r2", outcome: "completed", text: "cc answers c1-1 c2-1" } },
]

/** What is wrong with this history of a session with this log. */
function problems(
  history: readonly HistoryEvent[],
  log: readonly (EntryBody | undefined)[],
): readonly string[] {
  const entries = log.flatMap((body, index): Entry[] => (body ? [{ seq: index + 1, at: 1, ...body }] : []))
  const info: SessionInfo = {
    namespace: SESSION,
    version: log.length,
    createdAt: 1,
    updatedAt: 1,
    messages: 1,
    metadata: {},
  }
  return historyProblems(history, [{ namespace: SESSION, info, entries }])
}

test("a history in which nothing went wrong", () => {
  expect(problems(HISTORY, LOG)).toEqual([])
})

type Broken = readonly [history: readonly HistoryEvent[], log: readonly (EntryBody | undefined)[]]

const inserted = <T>(list: readonly T[], index: number, ...items: readonly T[]): readonly T[] =>
  list.toSpliced(index, 0, ...items)
/** The history, with one of its events replaced by others. */
const replaced = (event: HistoryEvent, ...others: readonly HistoryEvent[]): readonly HistoryEvent[] =>
  HISTORY.toSpliced(HISTORY.indexOf(event), 1, ...others)
const changed = (seq: number, ...bodies: readonly (EntryBody | undefined)[]) =>
  LOG.toSpliced(seq - 1, bodies.length, ...bodies)
const asked = (op: number): HistoryEvent =>
  HISTORY.find((event) => event.type === "invoke" && event.op === op) ?? keeps
const told = (op: number): HistoryEvent =>
  HISTORY.find((event) => event.type === "ok" && event.op === op) ?? keeps
const [, written] = writes("p2/5", 17, 20, 9)
/** The history, without who wrote what after the draft: for logs that differ from it. */
const quiet = HISTORY.filter((event) => !("write" in event) || event.write === "p1/2")

test.each<readonly [name: string, problem: RegExp, broken: Broken]>([
  [
    "a message that was acknowledged and is lost",
    /c3-1 was acknowledged and is lost/,
    [[...HISTORY, asks(9, sends("c3-1", "c3-1: ")), { type: "ok", op: 9 }], LOG],
  ],
  [
    "a message that is there twice",
    /c2-1 is in the transcript 2 times/,
    [quiet, [...LOG, { type: "user", ...YOURS }]],
  ],
  [
    "a message that waits for ever",
    /c3-1 was accepted and never joined/,
    [
      [...quiet, asks(9, sends("c3-1", "c3-1: ")), { type: "ok", op: 9 }],
      [...LOG, { type: "input", inputId: "c3-1", mode: "queue", message: userMessage("c3-1: ") }],
    ],
  ],
  [
    "a message that was refused and is there",
    /c2-1 was refused and is there/,
    [replaced(told(3), { type: "fail", op: 3, code: "session_busy" }), LOG],
  ],
  [
    "a message that nobody sent",
    /Nobody sent the message c2-1/,
    [HISTORY.filter((event) => event !== asked(3) && event !== told(3)), LOG],
  ],
  [
    "a message that is not what was sent",
    /c2-1 is not what was sent/,
    [replaced(asked(3), asks(3, sends("c2-1", "c2-1: post", "ask"))), LOG],
  ],
  [
    "a message that was taken back by nobody",
    /c3-1 was taken back by nobody/,
    [
      [...quiet, asks(9, sends("c3-1", "c3-1: ")), { type: "ok", op: 9 }],
      [
        ...LOG,
        { type: "input", inputId: "c3-1", mode: "queue", message: userMessage("c3-1: ") },
        { type: "input_cancelled", inputId: "c3-1" },
      ],
    ],
  ],
  [
    "a message that was taken back and answered",
    /c2-1 was said to be taken back and joined/,
    [
      [...HISTORY, asks(9, { type: "cancel", session, inputId: "c2-1" }), { type: "ok", op: 9, done: true }],
      LOG,
    ],
  ],
  [
    "messages accepted in another order than that of time",
    /c1-1 was sent after c2-1 was acknowledged, and accepted/,
    [[asked(3), told(3), ...HISTORY.filter((event) => event !== asked(3) && event !== told(3))], LOG],
  ],
  [
    "messages that join in another order",
    /c3-1 was sent after c2-1 was acknowledged, and joined before it/,
    [
      [...quiet, asks(9, sends("c3-1", "c3-1: ")), { type: "ok", op: 9 }],
      [
        ...LOG.slice(0, 16),
        { type: "user", inputId: "c3-1", message: userMessage("c3-1: ") },
        ...LOG.slice(16),
      ],
    ],
  ],
  [
    "an answer that no run gave",
    /"dd answers c2-1" was given as the answer, which no run gave/,
    [
      replaced(told(3), {
        type: "ok",
        op: 3,
        answer: { runId: "r2", outcome: "completed", text: "dd answers c2-1" },
      }),
      LOG,
    ],
  ],
  [
    "an answer of a run that never was",
    /an answer of run r9 was given, which never was/,
    [replaced(told(3), { type: "ok", op: 3, answer: { runId: "r9", outcome: "completed", text: "" } }), LOG],
  ],
  [
    "the answer to another message",
    /the answer of run r1 was given, which is another's/,
    [
      replaced(told(3), {
        type: "ok",
        op: 3,
        answer: { runId: "r1", outcome: "completed", text: "bb answers c1-1" },
      }),
      LOG,
    ],
  ],
  [
    "an answer that the model never gave",
    /The model never said "bb answers c1-1"/,
    [HISTORY.filter((event) => event.type !== "said" || !event.text.startsWith("bb")), LOG],
  ],
  [
    "a run that failed for a reason of its own",
    /Run r2 failed: invalid_request/,
    [
      HISTORY.filter((event) => event !== told(3)),
      changed(20, {
        type: "run_finished",
        runId: "r2",
        outcome: "failed",
        usage: NO_USAGE,
        error: { code: "invalid_request", message: "No.", retryable: false },
      }),
    ],
  ],
  [
    "a run that nobody stopped",
    /Run r2 was stopped, and nobody did/,
    [
      HISTORY.filter((event) => event !== told(3)),
      changed(20, { type: "run_finished", runId: "r2", outcome: "stopped", usage: NO_USAGE }),
    ],
  ],
  [
    "a decision that is lost",
    /The decision of B is lost/,
    [
      [
        ...HISTORY,
        asks(9, { type: "decide", session, approvalId: "B", decision: "deny" }),
        { type: "ok", op: 9 },
      ],
      LOG,
    ],
  ],
  [
    "a decision that nobody made",
    /Nobody decided A like this/,
    [HISTORY.filter((event) => event !== asked(2) && event !== told(2)), LOG],
  ],
  [
    "an effect that happens again",
    /c1-1.1 happened 2 times, and cannot be repeated/,
    [replaced(pays, pays, pays), LOG],
  ],
  [
    "an effect under another key",
    /c1-1.0 happened under 2 keys/,
    [replaced(keeps, keeps, { ...keeps, key: "other" } as HistoryEvent), LOG],
  ],
  [
    "an effect that was said to have happened",
    /has a result of success and never ran/,
    [HISTORY.filter((event) => event !== keeps), LOG],
  ],
  [
    "an effect before it was approved",
    /c1-1.1 was paid before anybody had approved it/,
    [
      inserted(
        HISTORY.filter((event) => event !== pays),
        0,
        pays,
      ),
      LOG,
    ],
  ],
  [
    "an effect that nobody asked for",
    /c7-1.0 happened, and nobody here had asked for it/,
    [[...HISTORY, { ...pays, what: "c7-1.0" } as HistoryEvent], LOG],
  ],
  [
    "an entry that is gone and was no draft",
    /Entry 14 was written with the number 15/,
    [quiet, changed(14, undefined)],
  ],
  [
    "an entry that was acknowledged and is lost",
    /Entry 21, "user", was acknowledged to p3\/1 and is lost/,
    [
      [
        ...HISTORY,
        { type: "writing", write: "p3/1", session, expected: 20, token: 9, entries: ["user"] },
        { type: "written", write: "p3/1" },
      ],
      LOG,
    ],
  ],
  [
    "two writers of one entry",
    /p2\/5 and p9\/1 have both written entry 20/,
    [[...HISTORY, ...writes("p9/1", 20, 20, 9)], LOG],
  ],
  [
    "a writer whose lease is another's",
    /p2\/5 wrote entry 17 under token 8, after one under token 9/,
    [
      HISTORY.map((event) =>
        event.type === "writing" && event.write === "p2/5" ? { ...event, token: 8 } : event,
      ),
      LOG,
    ],
  ],
  [
    "a writer that comes after a later one",
    /p2\/5 had written entry 17 before one with a lower number was begun/,
    [
      [
        ...writes("p2/5", 17, 20, 9),
        ...HISTORY.filter((event) => !("write" in event && event.write === "p2/5") && event !== written),
      ],
      LOG,
    ],
  ],
  [
    "a session that is gone",
    /trial:5: it is gone/,
    [
      [...HISTORY, asks(9, { ...sends("c5-1", "c5-1: "), session: sessionOf(5).key }), { type: "ok", op: 9 }],
      LOG,
    ],
  ],
])("%s", (_, problem, broken) => {
  expect(problems(...broken).join("\n")).toMatch(problem)
})

test("of two that were on their way at the same time either may be the first, and one that steers may overtake", () => {
  const third = asks(9, { ...sends("c3-1", "c3-1: "), whenBusy: "steer" } as Action)
  const steers: EntryBody = { type: "input", inputId: "c3-1", mode: "steer", message: userMessage("c3-1: ") }
  const joins: EntryBody = { type: "user", inputId: "c3-1", message: userMessage("c3-1: ") }
  const overtaken = [...LOG.slice(0, 11), steers, ...LOG.slice(11, 14), joins, ...LOG.slice(14)]
  const before = quiet.indexOf(asked(3)) + 1
  expect(problems(inserted(quiet, before, { type: "ok", op: 3 }, third), overtaken)).toEqual([])
  const first = [asked(3), ...quiet.filter((event) => event !== asked(3))]
  expect(problems(first, LOG)).toEqual([])
})
