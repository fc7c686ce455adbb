import { join } from "node:path"
import { Namespace, Runtime, readHistory, tool } from "@orra/core"
import { call, hang, say, scriptedProvider } from "@orra/testing"
import { afterEach, expect, test, vi } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

/** A runtime that is closed has done with its store: whatever it does afterwards would be reported here. */
const onError = vi.fn()
afterEach(() => expect(onError).not.toHaveBeenCalled())

const ns = Namespace.of("household", "ada", "chat")
const weather = tool<{ city: string }>({
  name: "weather",
  description: "The weather.",
  input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  risk: "read",
  execute: ({ city }) => `Sunny in ${city}`,
})

test("a conversation with tools goes on after everything was closed and opened again", async () => {
  const path = join(folder, "resume.db")
  const first = await sqliteStore({ path })
  const before = new Runtime({
    provider: scriptedProvider([[say("Let me see."), call("weather", { city: "Oslo" })], "Sunny."]),
    store: first,
    tools: [weather],
    onError,
  })
  expect(await before.run(ns, "Weather?")).toMatchObject({ outcome: "completed", text: "Sunny." })
  const shown = await readHistory(before, ns)
  await before.close()
  await first.close()

  const second = await sqliteStore({ path })
  const provider = scriptedProvider(["In Rome too."])
  const after = new Runtime({ provider, store: second, tools: [weather], onError })
  expect(await readHistory(after, ns)).toEqual(shown)
  expect(await after.run(ns, "And Rome?")).toMatchObject({ text: "In Rome too." })
  expect(provider.requests[0]?.messages.map((message) => message.role)).toEqual([
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ])
  expect((await second.read(ns, { types: ["delta"] })).length).toBe(0)
  await after.close()
  await second.close()
})

test("hundreds of sessions that answer at once are all complete", async () => {
  const store = await sqliteStore({ path: join(folder, "many.db") })
  const runtime = new Runtime({
    provider: scriptedProvider([], { otherwise: say("a", "b", "c") }),
    store,
    onError,
  })
  const sessions = Array.from({ length: 200 }, (_, n) => ns.child(`${n}`))
  const results = await Promise.all(sessions.map((session) => runtime.run(session, "Go")))
  expect(results.every((result) => result.text === "abc")).toBe(true)
  expect((await store.list(ns, { openRun: true })).items).toEqual([])
  await runtime.close()
  await store.close()
})

test("a run that a dead process left open is closed by the next, when its lease is over", async () => {
  const path = join(folder, "dead.db")
  let now = Date.now()
  const dead = await sqliteStore({ path, now: () => now })
  const provider = scriptedProvider([[say("Half "), hang()], "Whole."])
  const abandoned = new Runtime({ provider, store: dead, owner: "dead", onError: () => {} })
  await abandoned.submit(ns, "Hello")
  await provider.request(1)
  // The process is gone: it neither stops its run nor renews its lease.
  await dead.close()

  now += 3_600_000
  const store = await sqliteStore({ path, now: () => now })
  const runtime = new Runtime({ provider, store, owner: "next", onError })
  expect(await runtime.recover(Namespace.of("household"))).toMatchObject([{ key: ns.key }])
  expect((await store.info(ns))?.openRun).toBeUndefined()
  const resumed = await runtime.resume(ns)
  expect(await runtime.result(ns, resumed.runId ?? "")).toMatchObject({ text: "Whole." })
  await runtime.close()
  await store.close()
  await abandoned.close()
})
