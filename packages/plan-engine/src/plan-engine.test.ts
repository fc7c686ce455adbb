import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { MemoryStore, type SessionStore } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { Bench } from "./engine-fixture.ts"
import type { PlanEngineOptions } from "./plan-engine.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function bench(store?: SessionStore, options?: Partial<PlanEngineOptions>): Promise<Bench> {
  const made = await new Bench(store, options).listen()
  ends.push(() => made.close())
  return made
}

const say = (text: string) => () => ({ text })
const TWO = [
  { id: "task1", service: "first", input: { text: "$task0.text" } },
  { id: "task2", service: "second", input: { text: "$task1.text" } },
]

describe("an orchestration", () => {
  test("is planned, carried out by services over their sockets, and can be seen", async () => {
    const shop = await bench()
    await shop.project()
    await shop.service("first", ({ input, pushUpdate }) => {
      pushUpdate({ progress: 50 })
      return { text: `${input["text"]}b` }
    })
    await shop.service("second", ({ input }) => ({ text: `${input["text"]}c` }))
    shop.plan = TWO
    const { status, body } = await shop.create(
      { text: "a" },
      { timeout: "20s", healthCheckGracePeriod: "30m" },
    )
    expect(status).toBe(202)
    expect(body).toMatchObject({
      id: expect.stringMatching(/^o_\w{22}$/),
      action: { content: "Do it." },
      data: [{ field: "text", value: "a" }],
      results: null,
      status: "processing",
      timeout: "20s",
      healthCheckGracePeriod: "30m0s",
      plan: {
        tasks: [
          {
            id: "task1",
            service: shop.ids.get("first"),
            service_name: "first",
            capabilities: ["Does first."],
          },
          { id: "task2", service_name: "second" },
        ],
        parallel_groups: [["task1"], ["task2"]],
      },
      taskZero: { input: { text: "a" } },
    })
    const inspected = await shop.ended(body.id)
    expect(inspected).toMatchObject({
      status: "completed",
      results: [{ text: "abc" }],
      resultsByTask: { task2: { text: "abc" } },
      tasks: [
        {
          id: "task1",
          serviceName: "first",
          needs: [],
          status: "completed",
          input: { text: "a" },
          output: { text: "ab" },
          interimResults: [{ data: { progress: 50 } }],
          isRevertible: false,
        },
        {
          id: "task2",
          needs: ["task1"],
          status: "completed",
          input: { text: "ab" },
          output: { text: "abc" },
        },
      ],
      taskZero: { text: "a" },
    })
    expect(inspected.tasks[0]?.statusHistory.map(({ status }) => status)).toEqual(["processing", "completed"])
    const listed = (await shop.ask("GET", "/orchestrations")).body
    expect(listed).toEqual({
      completed: [{ id: body.id, action: "Do it.", status: "completed", timestamp: expect.any(String) }],
    })
    expect(shop.errors).toEqual([])
  })

  test("that the services cannot do is refused as the original refuses it, and listed", async () => {
    const shop = await bench()
    await shop.project()
    await shop.service("first")
    shop.plan = JSON.stringify({
      tasks: [
        { id: "task0", input: {} },
        { id: "final", input: { error: "Nobody flies." } },
      ],
    })
    const { status, body } = await shop.create()
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ kind: "invalid request error", code: "Orra:ActionNotActionable" })
    expect(body.error.message).toMatch(/^preparation failed with status not_actionable: .*Nobody flies\./)
    expect((await shop.listed())["notActionable"]).toHaveLength(1)
    shop.plan = "I do not know."
    const unproved = await shop.create()
    expect([unproved.status, unproved.body.error.code]).toEqual([500, "Orra:ActionCannotExecute"])
  })

  test("that aborts undoes what was done, with what was given and why", async () => {
    const shop = await bench()
    await shop.project()
    const first = await shop.service("first", say("b"), { revertible: true })
    const undone: unknown[] = []
    first.onRevert = (...given) => void undone.push(given)
    await shop.service("second", ({ abort }) => abort({ why: "sold out" }))
    shop.plan = TWO
    const { body } = await shop.create()
    const inspected = await shop.ended(body.id)
    expect(inspected).toMatchObject({
      status: "aborted",
      abortInfo: { taskId: "task2", serviceName: "second", payload: { why: "sold out" } },
      tasks: [
        { status: "completed", compensation: { status: "completed", attempt: 1, max_attempts: 10 } },
        { status: "aborted", abortPayload: { why: "sold out" } },
      ],
    })
    const [[task, result, context]] = undone as [[{ input: object; type: string }, object, object]]
    expect([task.type, task.input, result]).toEqual(["task_request", { text: "a" }, { text: "b" }])
    expect(context).toEqual({
      orchestrationId: body.id,
      reason: "aborted",
      payload: { why: "sold out" },
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
    expect((await shop.listed())["aborted"]?.[0]).toMatchObject({
      compensation: { active: 0, total: 1, completed: 1, failed: 0 },
    })
  })

  test("that fails and cannot be undone leaves a record for a person", async () => {
    const shop = await bench(undefined, { undoRetry: { attempts: 2, delayMs: 1 } })
    await shop.project()
    const first = await shop.service("first", say("b"), { revertible: true })
    first.onRevert = () => {
      throw new Error("It is gone.")
    }
    await shop.service("second", () => Promise.reject(new Error("No car.")))
    shop.plan = TWO
    const { body } = await shop.create()
    expect(await shop.ended(body.id)).toMatchObject({
      status: "failed",
      error: { id: "task_fail_task2", producer: shop.ids.get("second"), error: "No car." },
    })
    const { body: failures } = await shop.ask<readonly { readonly id: string }[]>(
      "GET",
      "/compensation-failures",
    )
    expect(failures).toEqual([
      expect.objectContaining({
        id: expect.stringMatching(/^c_\w{22}$/),
        orchestrationId: body.id,
        taskId: "task1",
        status: "failed",
        failure: "It is gone.",
        attemptsMade: 2,
        resolutionState: "pending",
        resolvedAt: "0001-01-01T00:00:00Z",
      }),
    ])
    const path = `/compensation-failures/${failures[0]?.id}`
    const resolved = await shop.ask("POST", `${path}/resolve`, { reason: "By hand." })
    expect(resolved.body).toMatchObject({ resolutionState: "resolved", resolution: "By hand." })
    expect((await shop.ask("GET", path)).body).toEqual(resolved.body)
  })

  test("can be cancelled while it waits for a service", async () => {
    const shop = await bench()
    await shop.project()
    const first = await shop.service("first", say("b"))
    const second = await shop.service("second", undefined)
    await second.drop()
    shop.plan = TWO
    const { body } = await shop.create()
    const waiting = await shop.until(body.id, ({ tasks }) => tasks[1]?.status === "paused")
    expect(waiting.status).toBe("processing")
    expect((await shop.ask("POST", `/orchestrations/${body.id}/cancel`)).status).toBe(202)
    await shop.connect("second", say("late"))
    expect(await shop.ended(body.id)).toMatchObject({ status: "cancelled" })
    expect(first.handled).toHaveLength(1)
  })
})

test("W-D1: an engine that ends in the middle goes on in the next one, with the same keys", async () => {
  const store = new MemoryStore()
  const before = await new Bench(store).listen()
  await before.project()
  const first = await before.service("first", say("b"))
  const second = await before.service("second")
  before.plan = TWO
  const { body } = await before.create()
  const [sent] = await second.seen("task_request")
  await before.close()

  const after = await bench(store)
  after.key = before.key
  for (const [name, id] of before.ids) after.ids.set(name, id)
  const back = await after.connect("second", say("c"))
  const again = await after.connect("first", say("twice"))
  expect(await after.ended(body.id)).toMatchObject({ status: "completed", results: [{ text: "c" }] })
  expect(back.handled).toEqual([sent?.["idempotencyKey"]])
  expect([...first.handled, ...again.handled], "what was done is not done again").toHaveLength(1)
})

test("webhooks are told of every end, signed, until they have heard it", async () => {
  const heard: { headers: NodeJS.Dict<string | string[]>; text: string }[] = []
  let refusals = 2
  const listener = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    response.statusCode = refusals-- > 0 ? 503 : 200
    if (response.statusCode === 200)
      heard.push({ headers: request.headers, text: Buffer.concat(chunks).toString() })
    response.end(() => arrived.resolve())
  })
  let arrived = Promise.withResolvers<void>()
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  ends.push(() => new Promise((resolve) => listener.close(resolve)))
  const { port } = listener.address() as AddressInfo
  const shop = await bench()
  const { webhookSecret, id } = await shop.project({ webhooks: [`http://127.0.0.1:${port}/done`] })
  await shop.service("first", say("b"))
  shop.plan = TWO.slice(0, 1)
  const { body } = await shop.create()
  while (heard.length === 0) {
    await arrived.promise
    arrived = Promise.withResolvers<void>()
  }
  const [{ headers, text }] = heard as [(typeof heard)[0]]
  const event = JSON.parse(text)
  expect(event).toMatchObject({
    type: "orchestration.completed",
    project_id: id,
    orchestration_id: body.id,
    status: "completed",
    results: [{ text: "b" }],
  })
  expect(new Date(event.timestamp).toISOString(), "W-N1: a timestamp that is one").toBe(event.timestamp)
  expect(headers["x-orra-event"]).toBe("orchestration.completed")
  const [, seconds, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers["x-orra-signature"])) ?? []
  expect(signature).toBe(createHmac("sha256", webhookSecret).update(`${seconds}.${text}`).digest("hex"))
})
