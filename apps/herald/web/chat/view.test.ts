import { type Entry, MemoryStore, Namespace, type RunEvent, Runtime, readHistory, tool } from "@orra/core"
import { call, fail, say, scriptedProvider, think } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { HistoryPage } from "../api/types.ts"
import { type ChatView, EMPTY_VIEW, reduceView } from "./view.ts"

const ns = Namespace.of("owner", "chat")

const clock = tool({
  name: "clock",
  description: "The time.",
  input: { type: "object", properties: {} },
  risk: "read",
  execute: () => "noon",
})

/** What a person does in a chat. The numbers choose among what there is. */
type Step =
  | { readonly do: "send"; readonly how: "text" | "tools" | "failure" }
  | { readonly do: "regenerate" | "edit" | "branch"; readonly pick: number }
  | { readonly do: "rename" }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      how: fc.constantFrom("text" as const, "tools" as const, "failure" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("regenerate" as const, "edit" as const, "branch" as const),
      pick: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "rename" as const }) },
)

/** Plays the steps on a real runtime. @returns everything it told, and what it says the chat is in the end. */
async function play(steps: readonly Step[]): Promise<{ events: readonly RunEvent[]; history: HistoryPage }> {
  const provider = scriptedProvider()
  const runtime = new Runtime({ provider, store: new MemoryStore(), tools: [clock], deltaIntervalMs: 0 })
  const stop = new AbortController()
  const events: RunEvent[] = []
  const { promise: told, resolve } = Promise.withResolvers<void>()
  let wanted = Number.POSITIVE_INFINITY
  const listening = (async () => {
    for await (const event of runtime.subscribe(ns, { after: 0, signal: stop.signal })) {
      events.push(event)
      if ("seq" in event && event.seq >= wanted) resolve()
    }
  })()
  const answers = () => provider.push([think("Hm. ", "Yes."), say("One ", "two ", "**three**.")])
  const current = async () => (await readHistory(runtime, ns, { limit: 1_000 }))?.entries ?? []
  let count = 0
  for (const one of steps) {
    if (one.do === "send") {
      if (one.how === "tools") provider.push([say("Let me ", "see."), call("clock", {}), call("clock", {})])
      if (one.how === "failure") provider.push(fail("auth"))
      else answers()
      await runtime.run(ns, `message ${++count}`).catch(() => undefined)
    } else if (one.do === "rename") {
      await runtime.update(ns, { title: `title ${++count}` }).catch(() => undefined)
    } else {
      const users = (await current()).filter((entry) => entry.type === "user")
      const user = users[one.pick % Math.max(1, users.length)]
      if (!user) continue
      if (one.do === "branch") {
        const forks = (await readHistory(runtime, ns, { limit: 1_000 }))?.forks ?? []
        const branches = forks.flatMap((fork) => fork.branches)
        const branch = branches[one.pick % Math.max(1, branches.length)]
        if (branch) await runtime.switchBranch(ns, branch.tip)
        continue
      }
      answers()
      const { runId } =
        one.do === "edit"
          ? await runtime.edit(ns, user.seq, `edited ${++count}`)
          : await runtime.regenerate(ns, user.seq)
      if (runId !== undefined) await runtime.result(ns, runId)
    }
  }
  const history = await readHistory(runtime, ns, { limit: 1_000 })
  if (!history) {
    stop.abort()
    await listening
    return { events: [], history: empty }
  }
  wanted = history.info.version
  if (!events.some((event) => "seq" in event && event.seq >= wanted)) await told
  stop.abort()
  await listening
  await runtime.close()
  return { events, history: { ...history, info: { ...history.info, namespace: ns.key } } }
}

const empty: HistoryPage = {
  info: { namespace: ns.key, version: 0, createdAt: 0, updatedAt: 0, messages: 0, metadata: {} },
  entries: [],
  forks: [],
  more: false,
  queued: [],
  pins: [],
}

const read = (view: ChatView, page: HistoryPage): ChatView => reduceView(view, { type: "history", page })
const hear = (view: ChatView, events: readonly RunEvent[]): ChatView =>
  events.reduce((before, event) => reduceView(before, { type: "event", event }), view)

/** What is on the screen. */
const shown = ({ items, queued, metadata, openRun }: ChatView) => ({ items, queued, metadata, openRun })

describe("the view of a chat", () => {
  test("F23: is the same read whole, heard live, or both, however often the connection was lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (steps, cuts) => {
          const { events, history } = await play(steps)
          const whole = shown(read(EMPTY_VIEW, history))
          // Each cut loses the connection and hears some of what was heard before again.
          let view = EMPTY_VIEW
          let from = 0
          for (const cut of [...cuts.map((one) => one % (events.length + 1)), events.length]) {
            view = hear(view, events.slice(from, Math.max(from, cut)))
            from = Math.max(0, Math.min(cut, from) - 3)
          }
          view = hear(view, events)
          if (view.stale) view = read(view, history)
          expect(shown(view)).toEqual(whole)
          expect(view.stale).toBeUndefined()
          // Hearing it all again changes nothing at all.
          expect(hear(view, events)).toBe(view)
        },
      ),
      { numRuns: 60 },
    )
  })

  test("is the same loaded page by page, and keeps the rows that did not change", async () => {
    const { history } = await play([
      { do: "send", how: "tools" },
      { do: "send", how: "text" },
      { do: "send", how: "tools" },
    ])
    const whole = read(EMPTY_VIEW, history)
    for (let size = 1; size < history.entries.length; size++) {
      const page = (end: number): HistoryPage => {
        const entries = history.entries.slice(Math.max(0, end - size), end)
        return { ...history, entries, more: end - size > 0 }
      }
      let view = read(EMPTY_VIEW, page(history.entries.length))
      for (let end = history.entries.length - size; end > 0; end -= size) {
        const before = view
        view = reduceView(view, { type: "older", page: page(end) })
        expect(view.items.at(-1)).toEqual(
          before.items.at(-1)?.seq === view.items.at(-1)?.seq ? before.items.at(-1) : view.items.at(-1),
        )
      }
      expect(view.items).toEqual(whole.items)
      expect(view.hasMore).toBe(false)
    }
  })
})

const at = 1
const message = { role: "user", parts: [{ type: "text", text: "hi" }] } as const
const started: readonly Entry[] = [
  { seq: 1, at, type: "user", message, inputId: "a" },
  { seq: 2, at, type: "run_started", runId: "r" },
]

test("a draft grows, and its message takes its place", () => {
  const delta = (seq: number, text: string): Entry => ({
    seq,
    at,
    type: "delta",
    runId: "r",
    messageId: "m",
    pieces: [{ type: "text", text }],
  })
  let view = hear(EMPTY_VIEW, [...started, delta(3, "Hel"), delta(4, "lo")])
  expect(view.items.at(-1)).toMatchObject({ messages: [{ status: "writing", parts: [{ text: "Hello" }] }] })
  expect(view.entries).toHaveLength(3)
  view = hear(view, [
    {
      seq: 5,
      at,
      type: "assistant",
      runId: "r",
      messageId: "m",
      status: "complete",
      message: { role: "assistant", parts: [{ type: "text", text: "Hello!" }] },
    },
  ])
  expect(view.items.at(-1)).toMatchObject({ messages: [{ status: "complete", parts: [{ text: "Hello!" }] }] })
  expect(view.entries).toHaveLength(3)
  expect(view.openRun).toBe("r")
})

test("a message that waits is shown until it runs or is taken back", () => {
  const input = (seq: number, inputId: string): Entry => ({
    seq,
    at,
    type: "input",
    inputId,
    mode: "queue",
    message,
  })
  let view = hear(EMPTY_VIEW, [...started, input(3, "b"), input(4, "c")])
  expect(view.queued.map(({ inputId }) => inputId)).toEqual(["b", "c"])
  view = hear(view, [{ seq: 5, at, type: "input_cancelled", inputId: "b" }])
  expect(view.queued.map(({ inputId }) => inputId)).toEqual(["c"])
  view = hear(view, [{ seq: 6, at, type: "user", message, inputId: "c" }])
  expect(view.queued).toEqual([])
})

test("a message that steers divides the answer in two", () => {
  const view = hear(EMPTY_VIEW, [
    ...started,
    { seq: 3, at, type: "user", message, inputId: "b" },
    { seq: 4, at, type: "delta", runId: "r", messageId: "m", pieces: [{ type: "text", text: "ok" }] },
  ])
  expect(view.items.map(({ type }) => type)).toEqual(["user", "answer", "user", "answer"])
})

test("an older history does not take messages back, except after a rewind", () => {
  const old: HistoryPage = { ...empty, info: { ...empty.info, version: 1 }, entries: started.slice(0, 1) }
  const view = hear(EMPTY_VIEW, started)
  expect(read(view, old)).toBe(view)
  const rewound = hear(view, [{ seq: 3, at, type: "rewind", to: 1 }])
  expect(rewound.stale).toHaveLength(1)
  expect(rewound.items).toHaveLength(1)
  // Read before the rewind reached the server's history: still stale, and read again.
  expect(read(rewound, old).stale).toHaveLength(1)
  expect(read(rewound, { ...old, info: { ...old.info, version: 3 } }).stale).toBeUndefined()
})
