import { grammarProblem, hang, say, scriptedProvider } from "@orra/testing"
import { expect, test, vi } from "vitest"
import { MemoryStore } from "./memory-store.ts"
import { messageText, userMessage } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { post } from "./post.ts"
import { Runtime } from "./runtime.ts"

const ns = Namespace.of("household", "ada")
const reminder = userMessage("Water the plants.", { kind: "schedule", name: "plants" })

const said = async (runtime: Runtime) =>
  (await runtime.store.read(ns, { types: ["user", "assistant"] })).map((entry) =>
    entry.type === "user" || entry.type === "assistant" ? messageText(entry.message) : "",
  )

test("a message is put into the session once, nobody is asked, and the model sees it the next time", async () => {
  const provider = scriptedProvider(["Good."])
  const runtime = new Runtime({ provider })
  expect(await post(runtime, ns, reminder, { inputId: "one" })).toBe(true)
  expect(await post(runtime, ns, reminder, { inputId: "one" })).toBe(false)
  expect(provider.requests).toHaveLength(0)
  expect(await said(runtime)).toEqual(["Water the plants."])
  await runtime.run(ns, "Hello")
  expect(provider.requests[0]?.messages.map(messageText).join("\n")).toContain("Water the plants.")
  expect(provider.requests.map(({ messages }) => grammarProblem(messages))).toEqual([undefined])
  await expect(post(runtime, ns, " ")).rejects.toMatchObject({ code: "invalid_input" })
})

test("while the session runs it is refused, and nothing is written", async () => {
  const runtime = new Runtime({ provider: scriptedProvider([hang(), say("Done.")]) })
  const { runId } = await runtime.submit(ns, "Work.")
  await expect(post(runtime, ns, reminder)).rejects.toMatchObject({ code: "session_busy" })
  await runtime.stop(ns)
  expect(await runtime.result(ns, runId ?? "")).toMatchObject({ outcome: "stopped" })
  expect(await said(runtime)).not.toContain("Water the plants.")
  await vi.waitFor(() => expect(runtime.isRunning(ns)).toBe(false))
  expect(await post(runtime, ns, reminder)).toBe(true)
})

test("what strangers may have written taints the session, for good", async () => {
  const store = new MemoryStore()
  const runtime = new Runtime({ provider: scriptedProvider(["Good."]), store })
  await post(runtime, ns, reminder, { tainted: true })
  await runtime.run(ns, "Hello")
  const entries = await store.read(ns, { types: ["user", "run_started"] })
  expect(entries.map((entry) => "tainted" in entry)).toEqual([true, false, true])
  const again = new Runtime({ provider: scriptedProvider([]), store })
  expect((await again.internals.logs.open(ns)).tainted).toBe(true)
})
