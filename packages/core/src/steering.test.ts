import { say, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { MemoryStore, Namespace, Runtime } from "./index.ts"

test("a message withdrawn before the run took it leaves nothing to answer: no model is asked", async () => {
  const ns = Namespace.of("tenant", "acme", "chat")
  const store = new MemoryStore()
  const append = store.append.bind(store)
  const reached = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  store.append = async (namespace, entries, options) => {
    if (entries.some(({ type }) => type === "input_cancelled")) {
      reached.resolve()
      await held.promise
    }
    return await append(namespace, entries, options)
  }
  let withdrawn: Promise<unknown> | undefined
  const provider = scriptedProvider([[say("Fine.")], [say("Nobody asked for this.")]])
  const runtime = new Runtime({
    provider,
    store,
    hooks: [
      {
        name: "the person changes their mind",
        async afterModel() {
          if (withdrawn) return
          const { inputId } = await runtime.submit(ns, "And be brief.", { whenBusy: "steer" })
          withdrawn = runtime.cancelInput(ns, inputId)
          await reached.promise
          // The run sees the message waiting before it is gone.
          setImmediate(() => held.resolve())
        },
      },
    ],
  })
  const { text, outcome } = await runtime.run(ns, "Hello")
  await withdrawn
  expect([text, outcome, provider.requests.length]).toEqual(["Fine.", "completed", 1])
  const entries = await store.read(ns, { types: ["user", "input_cancelled"] })
  expect(entries.map(({ type }) => type)).toEqual(["user", "input_cancelled"])
  await runtime.close()
})
