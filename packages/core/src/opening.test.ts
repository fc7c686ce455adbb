import { fail, hang, say, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { readHistory } from "./history.ts"
import { MemoryStore, Namespace, Runtime, userMessage } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

async function begun() {
  const provider = scriptedProvider([], { otherwise: "ok" })
  const runtime = new Runtime({ provider, store: new MemoryStore() })
  await runtime.run(ns, "1")
  await runtime.run(ns, "2")
  return { provider, runtime }
}

describe("going back in a conversation", () => {
  test("to what is no place in it is refused, and the conversation stays as it was", async () => {
    const { runtime } = await begun()
    const version = (await runtime.info(ns))?.version ?? 0
    // A rewind is in the log but nothing can follow it.
    await runtime.switchBranch(ns, version)
    const before = await readHistory(runtime, ns)
    for (const place of [
      -1,
      0.5,
      Number.NaN,
      version + 1,
      version + 2,
      1_000_000,
      Number.POSITIVE_INFINITY,
    ]) {
      await expect(runtime.switchBranch(ns, place)).rejects.toMatchObject({ code: "not_found" })
      await expect(runtime.edit(ns, place, "x")).rejects.toMatchObject({ code: "not_found" })
      await expect(runtime.regenerate(ns, place)).rejects.toMatchObject({ code: "not_found" })
      await expect(runtime.submit(ns, "x", { rewindTo: place })).rejects.toMatchObject({ code: "not_found" })
    }
    expect(await readHistory(runtime, ns)).toEqual(before)
  })

  test("to before all of it leaves nothing to see, and what was there can be gone back to", async () => {
    const { runtime } = await begun()
    const before = await readHistory(runtime, ns)
    await runtime.switchBranch(ns, 0)
    expect((await readHistory(runtime, ns))?.entries).toEqual([])
    await runtime.switchBranch(ns, before?.entries.at(-1)?.seq ?? 0)
    expect((await readHistory(runtime, ns))?.entries).toEqual(before?.entries)
  })

  test("to the start begins anew, with the old way in the log", async () => {
    const { runtime, provider } = await begun()
    await runtime.run(ns, "3", { rewindTo: 0 })
    expect(provider.requests.at(-1)?.messages).toHaveLength(1)
    expect((await readHistory(runtime, ns))?.forks).toMatchObject([{ after: 0, current: 1 }])
  })

  test("cannot wait in the queue, where it would lose its place", async () => {
    const { runtime, provider } = await begun()
    provider.push()
    for (const whenBusy of ["queue", "steer"] as const) {
      await expect(runtime.submit(ns, "x", { rewindTo: 0, whenBusy })).rejects.toMatchObject({
        code: "invalid_input",
      })
    }
  })
})

describe("a message", () => {
  test("with nothing in it is refused, and nothing is written", async () => {
    const runtime = new Runtime({ provider: scriptedProvider([]) })
    for (const empty of ["", " \n\t", [], [{ type: "text", text: " " }], userMessage("")] as const) {
      await expect(runtime.submit(ns, empty)).rejects.toMatchObject({ code: "invalid_input" })
    }
    expect(await runtime.info(ns)).toBeUndefined()
  })
})

describe("what begins without a message of its own", () => {
  test("is followed to the end of its run like any other", async () => {
    const provider = scriptedProvider(["one", "another one", fail("overloaded"), "more"])
    const runtime = new Runtime({ provider, store: new MemoryStore() })
    await runtime.run(ns, "1")
    const [first] = await runtime.store.read(ns, { types: ["user"] })
    const types: (string | undefined)[] = []
    for await (const event of runtime.follow(await runtime.regenerate(ns, first?.seq ?? 0)))
      types.push(event.type)
    await runtime.run(ns, "2").catch(() => {})
    for await (const event of runtime.follow(await runtime.resume(ns))) types.push(event.type)
    expect(types.filter((type) => type === "assistant" || type === "run_finished")).toEqual([
      "assistant",
      "run_finished",
      "assistant",
      "run_finished",
    ])
  })
})

describe("continue", () => {
  test("asks the model to go on where it stopped, and needs something to go on from", async () => {
    const provider = scriptedProvider([[say("Once upon"), hang()]], { otherwise: " a time" })
    const runtime = new Runtime({ provider, deltaIntervalMs: 0 })
    await expect(runtime.resume(ns)).rejects.toMatchObject({ code: "not_found" })
    for await (const event of runtime.stream(ns, "Story")) if (event.type === "delta") await runtime.stop(ns)
    const { runId = "" } = await runtime.resume(ns)
    expect((await runtime.result(ns, runId)).text).toBe(" a time")
    expect(provider.requests[1]?.messages.map((message) => message.role)).toEqual([
      "user",
      "assistant",
      "user",
    ])
    await runtime.update(Namespace.of("other"), {}).catch(() => {})
  })
})
