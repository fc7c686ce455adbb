import { call, mortal, say, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { MemoryStore, Namespace, Runtime, type SessionStore, tool } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")

const ask = (store: SessionStore, provider = scriptedProvider([], { otherwise: "Yes." })): Runtime =>
  new Runtime({ provider, store, owner: "only", deltaIntervalMs: 0, tools: [pay] })

const pay = tool({
  name: "pay",
  description: "Pays.",
  input: { type: "object" },
  risk: "write",
  execute: () => new Promise<string>(() => {}),
})

/** A process that dies while its answer to this message pays. */
async function diePaying(store: SessionStore, text: string): Promise<void> {
  const life = mortal()
  const dying = ask(life.store(store), scriptedProvider([[say("Now."), call("pay")]]))
  for await (const event of dying.stream(ns, text)) if (event.type === "tool_intent") break
  life.bury()
}

const statuses = async (store: SessionStore): Promise<string[]> =>
  (await store.read(ns, { types: ["tool_result"] })).flatMap((entry) =>
    entry.type === "tool_result" ? [entry.result.status] : [],
  )

test("a run that a dead process left open is closed before its branch is left", async () => {
  const store = new MemoryStore()
  const before = ask(store)
  await before.run(ns, "Hello")
  const tip = (await store.info(ns))?.version ?? 0
  await before.close()
  const first = await store.read(ns, { types: ["user"] })
  const editing = ask(store)
  const edited = await editing.edit(ns, first[0]?.seq ?? 0, "Hello again")
  await editing.result(ns, edited.runId ?? "")
  await editing.close()
  await diePaying(store, "Pay.")

  const runtime = ask(store)
  await runtime.switchBranch(ns, tip)
  expect((await store.info(ns))?.openRun).toBeUndefined()
  expect(await statuses(store)).toEqual(["unknown"])
  expect(await runtime.run(ns, "And now?")).toMatchObject({ outcome: "completed" })
  const ends = await store.read(ns, { types: ["run_started", "run_finished"] })
  expect(ends.map(({ type }) => type === "run_started")).toEqual(ends.map((_, index) => index % 2 === 0))
})

test("recover closes what another process left open after this one looked at the session", async () => {
  const store = new MemoryStore()
  const runtime = ask(store)
  await runtime.run(ns, "Hello")
  await diePaying(store, "Pay.")
  expect(await runtime.recover(Namespace.of("tenant"))).toEqual([ns])
  expect((await store.info(ns))?.openRun).toBeUndefined()
  expect(await statuses(store)).toEqual(["unknown"])
})
