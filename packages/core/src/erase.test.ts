import { call, scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { Budgets } from "./budget.ts"
import { eraseNamespace } from "./erase.ts"
import { MemoryStore } from "./memory-store.ts"
import { Namespace } from "./namespace.ts"
import { Runtime } from "./runtime.ts"
import type { RuntimeOptions } from "./runtime-options.ts"
import type { SessionStore } from "./store.ts"
import { tool } from "./tool.ts"

const ada = Namespace.of("household", "ada")
const chat = ada.child("chat")

/** A tool that is under way until it is stopped. */
function waiting() {
  const began = Promise.withResolvers<void>()
  const wait = tool({
    name: "wait",
    description: "Waits.",
    input: { type: "object" },
    risk: "read",
    execute: (_, { signal }) => {
      began.resolve()
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true })
      })
    },
  })
  return { wait, began: began.promise }
}

function started(store: SessionStore, options: Partial<RuntimeOptions> = {}): Runtime {
  const runtime = new Runtime({ provider: scriptedProvider([], { otherwise: "Hello." }), store, ...options })
  onTestFinished(() => runtime.close())
  return runtime
}

async function isEmpty(store: SessionStore): Promise<boolean> {
  for (const deleted of [false, true]) if ((await store.list(ada, { deleted })).items.length > 0) return false
  for (const name of await store.collections(ada))
    if ((await store.records(name).list(ada, { below: true })).items.length > 0) return false
  return true
}

test("what runs in this runtime is stopped and erased, and whoever watches is told", async () => {
  const store = new MemoryStore()
  const { wait, began } = waiting()
  const runtime = started(store, {
    provider: scriptedProvider([[call("wait", {})]], { otherwise: "Hello." }),
    tools: [wait],
    budgets: new Budgets({ store }),
  })
  await store.records("settings").put(chat, "k", 1)
  const run = runtime.run(chat, "Wait for me")
  await began
  const changes = runtime.watch(ada)
  const told = (async () => {
    for await (const change of changes) if (change.type === "session_deleted") return change.namespace.key
    return undefined
  })()
  await eraseNamespace(runtime, ada)
  expect(await told).toBe(chat.key)
  await run.catch(() => {})
  expect(await isEmpty(store)).toBe(true)
})

test("what was sent before the erasure is new after it: nothing is remembered, counted or shown to the model", async () => {
  const store = new MemoryStore()
  const budgets = new Budgets({ store })
  budgets.set(ada, { per: "day", tokens: 1_000_000 })
  const seen: string[] = []
  const provider = scriptedProvider([], {
    otherwise: ({ messages }) => {
      seen.push(JSON.stringify(messages))
      return "Hello."
    },
  })
  const runtime = started(store, { provider, budgets })
  await runtime.run(chat, "My secret", { inputId: "one" })
  const [before] = await budgets.state(ada)
  await eraseNamespace(runtime, ada)
  expect(await isEmpty(store)).toBe(true)
  expect((await runtime.run(chat, "My message", { inputId: "one" })).outcome).toBe("completed")
  expect(seen.at(-1)).toContain("My message")
  expect(seen.at(-1)).not.toContain("My secret")
  const [after] = await budgets.state(ada)
  expect(before?.spent).toBeGreaterThan(0)
  expect(after?.spent).toBeLessThanOrEqual(before?.spent ?? 0)
  expect((await store.info(chat))?.messages).toBe(2)
})

test("what another process runs is not erased from under it", async () => {
  const store = new MemoryStore()
  const { wait, began } = waiting()
  const other = started(store, { provider: scriptedProvider([[call("wait", {})]]), tools: [wait] })
  const runtime = started(store)
  await runtime.run(ada.child("idle"), "Hello")
  const run = other.run(chat, "Wait for me").catch(() => {})
  await began
  const before = [await store.list(ada), await store.read(chat)]
  await expect(eraseNamespace(runtime, ada)).rejects.toMatchObject({ code: "session_busy" })
  expect([await store.list(ada), await store.read(chat)]).toEqual(before)
  await other.stop(chat)
  await run
  await eraseNamespace(runtime, ada)
  expect(await isEmpty(store)).toBe(true)
  // The other one has the session in memory still, and begins anew.
  await other.submit(chat, "Again").then((submission) => other.result(chat, submission.runId ?? ""))
  expect((await store.read(chat, { types: ["user"] })).length).toBe(1)
})

test("an erasure that ended halfway is completed by the next", async () => {
  const store = new MemoryStore()
  const runtime = started(store)
  for (const name of ["one", "two", "three"]) {
    await runtime.run(ada.child(name), "Hello")
    await store.records(name).put(ada, "k", name)
  }
  let left = 0
  const failing = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== "function") return member
      return (...args: unknown[]) => {
        if ((name === "delete" || name === "records") && left-- === 0) throw new Error("The power is gone.")
        return member.apply(target, args)
      }
    },
  })
  for (const fine of [0, 1, 2, 3, 4, 5]) {
    left = fine
    await eraseNamespace(failing, ada).catch(() => {})
  }
  left = -1
  await eraseNamespace(store, ada)
  expect(await isEmpty(store)).toBe(true)
})
