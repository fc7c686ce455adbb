import { once } from "node:events"
import { createServer } from "node:http"
import { type JsonObject, Namespace } from "@orra/core"
import { toolBench, useTool } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { engine, TEXT } from "./fixture.ts"
import { type Handler, initService, orchestrate } from "./index.ts"
import { type PlanToolOptions, planTool } from "./tool.ts"

/** An engine with one service, whose plans are one task of it, and the tool. */
async function bench(handler: Handler, options: Partial<PlanToolOptions> = {}) {
  const shop = await engine()
  const echo = initService(shop.options("echo"))
  onTestFinished(() => echo.shutdown({ timeoutMs: 0 }))
  await echo.register({ description: "Says it again.", schema: TEXT })
  echo.start(handler)
  shop.plan = [{ id: "task1", service: String(echo.info.id), input: { text: "$task0.text" } }]
  return { shop, tool: planTool({ url: shop.url, apiKey: shop.key, ...options }) }
}

const ASK = { action: "Say it again.", data: { text: "a" } } as const
const textIn = ({ content }: { readonly content: readonly object[] }): string => JSON.stringify(content)

test("has services carry something out, and gives what came of it", async () => {
  const { tool } = await bench(({ input }) => ({ text: `${input["text"]}b` }))
  const told: string[] = []
  const output = await useTool([tool], "plan", ASK, { progress: (text) => void told.push(text) })
  expect(output.isError).toBe(false)
  expect(textIn(output)).toMatch(
    /^.*The plan was carried out\..*information, not instructions.*\{\\"text\\":\\"ab\\"\}/,
  )
  expect(told).toEqual(["planned: echo", "echo: begun", "echo: done"])
  expect(tool).toMatchObject({ risk: "exec", untrusted: true, idempotent: false, timeoutMs: 615_000 })
})

test("is asked about and refused as any other effect", async () => {
  let calls = 0
  const { tool } = await bench(() => ({ text: String(++calls) }))
  const user = Namespace.of("acme", "bob")
  const asked = toolBench([tool], { user, policy: { ask: ["risk:exec"] } })
  expect(await asked.call("plan", ASK)).toMatchObject({ status: "denied" })
  const denied = toolBench([tool], { user, policy: { deny: ["plan"], allow: ["*"] } })
  expect(await denied.call("plan", ASK)).toMatchObject({ status: "denied" })
  expect(calls).toBe(0)
  const allowed = toolBench([tool], { user, policy: { allow: ["plan"] } })
  expect(await allowed.call("plan", ASK)).toMatchObject({ status: "ok" })
  expect(calls).toBe(1)
})

test("says that it failed, or why it was ended", async () => {
  const { tool, shop } = await bench(({ abort }) => abort({ why: "sold out" }))
  const output = await useTool([tool], "plan", ASK)
  expect(output.isError).toBe(true)
  expect(textIn(output)).toMatch(/A service ended the plan.*sold out/)
  shop.plan = [{ id: "final", service: "", input: { error: "Nobody flies." } }]
  await expect(useTool([tool], "plan", { ...ASK, action: "Fly." })).rejects.toMatchObject({
    code: "plan_not_actionable",
    message: expect.stringMatching(/^(?!prep).*Nobody flies\./),
  })
})

test("gives no more than a model can read", async () => {
  const { tool } = await bench(() => ({ text: "x".repeat(100_000) }))
  const text = textIn(await useTool([tool], "plan", ASK))
  expect(text.length).toBeLessThan(21_000)
  expect(text).toContain("[Truncated")
})

test("cancels the plan when the run is stopped, and when it takes too long", async () => {
  const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()]
  const gate = Promise.withResolvers<void>()
  let calls = 0
  const handler = async () => {
    begun[calls++]?.resolve()
    await gate.promise
    return { text: "b" }
  }
  const { shop, tool } = await bench(handler)
  const stop = new AbortController()
  const stopped = useTool([tool], "plan", ASK, { signal: stop.signal })
  await begun[0]?.promise
  stop.abort(new Error("Stopped."))
  await expect(stopped).rejects.toThrow("Stopped.")
  const quick = planTool({ url: shop.url, apiKey: shop.key, timeoutMs: 500 })
  await expect(useTool([quick], "plan", ASK)).rejects.toThrow("cancelled after 0.5 s")
  gate.resolve()
  await expect
    .poll(() => shop.ask<JsonObject>("GET", "/orchestrations"))
    .toEqual({ cancelled: [expect.anything(), expect.anything()] })
})

test("waits for an engine that is restarted meanwhile", async () => {
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const { shop, tool } = await bench(async () => {
    begun.resolve()
    await gate.promise
    return { text: "b" }
  })
  const output = useTool([tool], "plan", ASK)
  await begun.promise
  await shop.restart(async () => {
    // Whoever asks meanwhile is hung up on.
    const asked = Promise.withResolvers<void>()
    const nobody = createServer(({ socket, url }) => {
      socket.destroy()
      if (url?.endsWith("/log?follow")) asked.resolve()
    }).listen(Number(new URL(shop.url).port))
    await asked.promise
    nobody.close()
    await once(nobody, "close")
  })
  gate.resolve()
  expect(textIn(await output)).toContain("The plan was carried out.")
})

test("says what to do when there is no engine, or it does not take the key", async () => {
  const { shop } = await bench(() => ({ text: "b" }))
  await expect(orchestrate({ url: shop.url, apiKey: "sk-orra-v1-no" }, ASK)).rejects.toMatchObject({
    code: "plan_refused",
    details: { status: 401 },
  })
  await expect(orchestrate({ url: "http://127.0.0.1:1", apiKey: "sk" }, ASK)).rejects.toMatchObject({
    code: "plan_engine_unreachable",
    message: "The plan engine at http://127.0.0.1:1 does not answer: is it running there?",
  })
})
