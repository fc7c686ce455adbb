import { call, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { Runtime } from "./runtime.ts"
import { PENDING, tool } from "./tool.ts"

const ns = Namespace.of("acme", "bob")

test("a tool whose result comes later is executed again, with the same key, each time its run is woken", async () => {
  const keys: string[] = []
  let isReady = false
  const later = tool({
    name: "later",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: (_, { idempotencyKey }) => {
      keys.push(idempotencyKey)
      return isReady ? "Here." : PENDING
    },
  })
  const provider = scriptedProvider([call("later"), "Done."])
  const runtime = new Runtime({ provider, tools: [later], deltaIntervalMs: 0 })
  const first = await runtime.run(ns, "Go")
  expect(first.outcome).toBe("waiting")
  await runtime.wake(ns)
  for await (const event of runtime.subscribe(ns, { after: 0 }))
    if (event.type === "run_waiting" && keys.length === 2) break
  isReady = true
  await runtime.wake(ns)
  for await (const event of runtime.subscribe(ns, { after: 0 })) if (event.type === "run_finished") break
  expect(await runtime.result(ns, first.runId)).toMatchObject({ outcome: "completed", text: "Done." })
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
})

test("a tool that must not be executed twice cannot put its result off", async () => {
  const once = tool({
    name: "once",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: () => PENDING,
  })
  const provider = scriptedProvider([call("once"), "Done."])
  const runtime = new Runtime({ provider, tools: [once], deltaIntervalMs: 0 })
  expect((await runtime.run(ns, "Go")).outcome).toBe("completed")
  const last = provider.requests[1]?.messages.at(-1)
  expect(last && messageText(last)).toContain("idempotent")
})
