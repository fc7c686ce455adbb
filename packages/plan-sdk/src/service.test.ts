import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { type ClientOptions, WebSocket } from "ws"
import { z } from "zod"
import { engine, relayed, TEXT, type TestEngine } from "./fixture.ts"
import { FinalFailure, initAgent, initService, type PlanService, type ServiceOptions } from "./index.ts"

/** A service that is told apart by its name. */
function service(at: TestEngine, name: string, more?: Partial<ServiceOptions>): PlanService {
  const made = initService(at.options(name, more))
  onTestFinished(() => made.shutdown({ timeoutMs: 0 }))
  return made
}

const ECHO = { description: "Says it again.", schema: TEXT } as const
const idOf = ({ info }: { readonly info: PlanService["info"] }): string => String(info.id)

describe("registration", () => {
  test("gives an id, which is kept where the original kept it, and is the same one later", async () => {
    const shop = await engine()
    const first = service(shop, "echo")
    expect(first.info).toEqual({ id: undefined, version: 0, revertible: false, revertTTL: 86_400_000 })
    await first.register({ ...ECHO, revertible: true, revertTTL: 5_000 })
    expect(first.info).toEqual({
      id: expect.stringMatching(/^s_[a-zA-Z0-9]+$/),
      version: 1,
      revertible: true,
      revertTTL: 5_000,
    })
    expect(JSON.parse(await readFile(join(shop.folder, "echo.json"), "utf8"))).toEqual({ id: first.info.id })
    await first.shutdown()

    const second = service(shop, "echo")
    await second.register(ECHO)
    expect(second.info).toMatchObject({ id: first.info.id, version: 2 })
    await expect(first.register(ECHO)).rejects.toMatchObject({ code: "plan_service_closed" })
  })

  test("keeps the id wherever it is told to, and takes a new one when the engine knows the old one no more", async () => {
    const shop = await engine()
    const saved: string[] = []
    const custom = service(shop, "echo", {
      persistenceOpts: {
        method: "custom",
        customSave: (id) => void saved.push(id),
        customLoad: () => "s_of-another-engine",
      },
    })
    await custom.register(ECHO)
    expect(custom.info.id).not.toBe("s_of-another-engine")
    expect(saved).toEqual([custom.info.id])
  })

  test("connects with the class it is given", async () => {
    const shop = await engine()
    const urls: string[] = []
    class Watched extends WebSocket {
      constructor(address: string, options: ClientOptions) {
        super(address, options)
        urls.push(address)
      }
    }
    const echo = service(shop, "echo", { WebSocketImpl: Watched })
    await echo.register(ECHO)
    await expect.poll(() => urls).toEqual([expect.stringContaining(`serviceId=${idOf(echo)}`)])
  })

  test("is refused with what is wrong", async () => {
    const shop = await engine()
    const options = shop.options("echo")
    for (const name of ["ab", "Echo", "-echo", "e".repeat(64)])
      expect(() => initService({ ...options, name })).toThrow("is no name of a service")
    expect(() => initAgent({ ...options, orraUrl: "" })).toThrow("orraUrl")
    expect(() => initAgent({ ...options, orraKey: "" })).toThrow("orraKey")
    const wrong = service(shop, "echo", { orraKey: "sk-orra-v1-nobody" })
    await expect(wrong.register(ECHO)).rejects.toMatchObject({
      code: "plan_registration_failed",
      message: expect.stringMatching(/^Failed to register service because of Unauthorized: /),
    })
    const lost = service(shop, "echo", { orraUrl: "http://127.0.0.1:1" })
    await expect(lost.register(ECHO)).rejects.toMatchObject({ code: "plan_engine_unreachable" })
    const echo = service(shop, "echo")
    await expect(echo.register({ ...ECHO, revertTTL: 100 })).rejects.toThrow("revertTTL")
    await expect(echo.register({ ...ECHO, schema: {} as typeof TEXT })).rejects.toThrow("input and output")
    await echo.register({ ...ECHO, revertible: true })
    expect(() => echo.start(() => ({ text: "b" }))).toThrow("onRevert handler is missing")
  })
})

describe("a task", () => {
  test("is done with types that follow from the schemas, by an agent too", async () => {
    const shop = await engine()
    const agent = initAgent(shop.options("counter"))
    onTestFinished(() => agent.shutdown({ timeoutMs: 0 }))
    const counter = await agent.register({
      description: "Counts letters.",
      schema: {
        input: z.object({ text: z.string().transform((text) => text.trim()) }),
        output: z.object({ letters: z.number().default(0) }),
      },
    })
    counter.start(({ input }) => ({ letters: input.text.length }))
    expect(await shop.ended(await shop.begin(idOf(agent), { text: " abc " }))).toMatchObject({
      status: "completed",
      results: [{ letters: 3 }],
    })
    expect(shop.errors).toEqual([])
  })

  test("that comes before start waits for it, and is done once", async () => {
    // The engine does not ask again.
    const shop = await engine({ connections: { redeliverMs: [60_000], handoverMs: 20 } })
    const relay = await relayed(shop)
    const echo = service(shop, "echo", { orraUrl: relay.url })
    await echo.register(ECHO)
    const id = await shop.begin(idOf(echo))
    await expect.poll(() => relay.frames("task_request").length).toBe(1)
    let calls = 0
    echo.start(({ input }) => ({ text: `${input["text"]}${++calls}` }))
    expect(await shop.ended(id)).toMatchObject({ status: "completed", results: [{ text: "a1" }] })
    expect(calls).toBe(1)
  })

  test("that throws, at once or later, is answered and done again when the engine asks again", async () => {
    const shop = await engine()
    const echo = service(shop, "echo")
    await echo.register(ECHO)
    const attempts: unknown[] = []
    echo.start(({ attempt, wasInterrupted }) => {
      attempts.push(attempt, wasInterrupted)
      if (attempt === 1) throw new Error("No car.")
      return attempt === 2 ? Promise.reject(new Error("")) : { text: "there" }
    })
    const ended = await shop.ended(await shop.begin(idOf(echo)))
    expect(ended).toMatchObject({ status: "completed", results: [{ text: "there" }] })
    expect(attempts).toEqual([1, false, 2, false, 3, false])
    expect(JSON.stringify(ended)).toContain("No car.")
  })

  test("tells how it goes on, and can end the plan, also from a handler that catches everything", async () => {
    const shop = await engine()
    const echo = service(shop, "echo")
    await echo.register(ECHO)
    echo.start(async (task) => {
      await task.pushUpdate({ progress: 50 })
      try {
        return task.abort({ why: "sold out" })
      } catch {
        return { text: "as if nothing had been" }
      }
    })
    const ended = await shop.ended(await shop.begin(idOf(echo)))
    expect(ended).toMatchObject({
      status: "aborted",
      abortInfo: { payload: { why: "sold out" } },
      tasks: [{ status: "aborted" }],
    })
    expect(ended.tasks[0]?.interimResults?.[0]).toMatchObject({ data: { progress: 50 } })
  })

  test("whose result nobody can be told has failed, and is not done again", async () => {
    const shop = await engine()
    const odd = service(shop, "odd")
    const typed = await odd.register({
      description: "Gives what it should not.",
      schema: { input: z.object({ text: z.string() }), output: z.object({ text: z.unknown() }) },
    })
    const results: unknown[] = [{ text: "fine" }, { text: 1n }, { text: "x".repeat(11 * 1024 * 1024) }]
    let calls = 0
    typed.start(() => results[calls++] as { text: unknown })
    const wrong = service(shop, "wrong")
    await wrong.register({
      description: "Gives a number.",
      schema: { input: TEXT.input, output: z.object({ count: z.number().max(3) }) },
    })
    wrong.start(() => {
      calls += 10
      return { count: 4 }
    })
    const hopeless = service(shop, "hopeless")
    await hopeless.register({ description: "Cannot.", schema: TEXT })
    hopeless.start(() => {
      calls += 100
      throw new FinalFailure("Never.")
    })
    const errors: unknown[] = []
    for (const id of [idOf(odd), idOf(odd), idOf(odd), idOf(wrong), idOf(hopeless)]) {
      const { status, tasks } = await shop.ended(await shop.begin(id))
      errors.push([status, tasks[0]?.error])
    }
    expect(errors).toEqual([
      ["completed", undefined],
      ["failed", expect.stringContaining("is not JSON")],
      ["failed", expect.stringContaining("10 MiB")],
      ["failed", expect.stringContaining("The output does not fit: count: ")],
      ["failed", "Never."],
    ])
    expect(calls).toBe(113)
  })

  test("of 10 MiB goes through", async () => {
    const shop = await engine()
    const large = service(shop, "large")
    await large.register(ECHO)
    const text = "ä".repeat(5 * 1024 * 1024)
    large.start(() => ({ text }))
    const { status, results } = await shop.ended(await shop.begin(idOf(large)))
    expect(status).toBe("completed")
    expect((results as readonly { text: string }[])[0]?.text === text).toBe(true)
  })
})
