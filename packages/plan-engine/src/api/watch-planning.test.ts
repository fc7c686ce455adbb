import { fail, hang, type ScriptedAnswer, say, scriptedProvider } from "@orra/testing"
import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function shopWith(script: (id: string) => readonly ScriptedAnswer[]) {
  const provider = scriptedProvider()
  const shop = await new Bench(undefined, { provider }).listen()
  ends.push(() => shop.close())
  await shop.project()
  await shop.service("first", () => ({ text: "b" }))
  provider.push(...script(shop.ids.get("first") ?? ""))
  return { shop, provider }
}

const plan = (service: string) =>
  JSON.stringify({
    tasks: [
      { id: "task0", input: {} },
      { id: "task1", service, input: { text: "$task0.text" } },
    ],
  })

/** Asks for a stream; each event is `[name, data]`. */
async function* asked(shop: Bench, signal?: AbortSignal) {
  const response = await fetch(`${shop.url}/orchestrations`, {
    method: "POST",
    headers: { authorization: `Bearer ${shop.key}`, accept: "text/event-stream" },
    body: JSON.stringify({ action: { content: "Do it." }, data: [{ field: "text", value: "a" }] }),
    ...(signal && { signal }),
  })
  let text = ""
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8")
    for (const [whole, event = "", data = ""] of text.matchAll(/event: (\S+)\ndata: (.*)\n\n/g)) {
      text = text.replace(whole, "")
      yield [event, JSON.parse(data)] as const
    }
  }
}

test("W-P7: a client that asks for events is told its id, each attempt, and the plan", async () => {
  const { shop } = await shopWith((id) => [[say("I ", "cannot ", "count.")], [say(plan(id))]])
  const events = await Array.fromAsync(asked(shop))
  expect(events[0]).toEqual(["created", { type: "created", id: expect.stringMatching(/^o_/) }])
  expect(events.map(([, { type }]) => type).filter((type) => type !== "writing")).toEqual([
    "created",
    "asking",
    "refused",
    "asking",
    "proving",
    undefined,
  ])
  expect(events.some(([, { type, length }]) => type === "writing" && length > 0)).toBe(true)
  expect(events.at(-1)).toMatchObject([
    "planned",
    { id: events[0]?.[1].id, plan: { tasks: [{ id: "task1" }] } },
  ])
  expect(await shop.ended(events[0]?.[1].id)).toMatchObject({ status: "completed" })
})

test.each<[string, (id: string) => readonly ScriptedAnswer[], string]>([
  [
    "refuses",
    () => [JSON.stringify({ tasks: [{ id: "final", input: { error: "No." } }] })],
    "Orra:ActionNotActionable",
  ],
  ["never answers rightly", () => ["?", "?", "?"], "Orra:ActionCannotExecute"],
  ["is away", () => [fail("auth")], "Orra:ActionCannotExecute"],
])("when a model %s, the last event has the error, as the other answer would", async (_, script, code) => {
  const { shop } = await shopWith((id) => [...script(id), ...script(id)])
  const events = await Array.fromAsync(asked(shop))
  expect(events.at(-1)).toMatchObject(["error", { code }])
  const { body } = await shop.create()
  expect(body.error).toEqual(events.at(-1)?.[1])
})

test("W-P7: planning can be cancelled: the model's answer is dropped, nothing was done, and whoever waits is told", async () => {
  const { shop, provider } = await shopWith(() => [hang()])
  const creating = shop.create()
  await provider.request(1)
  const { body } = await shop.ask<{ pending: readonly { id: string }[] }>("GET", "/orchestrations")
  const id = body.pending[0]?.id ?? ""
  await shop.ask("POST", `/orchestrations/${id}/cancel`)
  expect(await creating).toMatchObject({ status: 409, body: { error: { code: "Orra:ActionCancelled" } } })
  expect(provider.aborted).toBe(1)
  const inspected = await shop.ended(id)
  expect(inspected).toMatchObject({ status: "cancelled" })
  expect(inspected).not.toHaveProperty("tasks")
})

test("a client that goes away leaves the planning as it is", async () => {
  const go = Promise.withResolvers<void>()
  const { shop } = await shopWith((id) => [[{ type: "wait", until: go.promise }, say(plan(id))]])
  const leave = new AbortController()
  let orchestration = ""
  for await (const [event, data] of asked(shop, leave.signal)) {
    if (event === "created") orchestration = data.id
    if (data.type === "asking") break
  }
  leave.abort()
  go.resolve()
  expect(await shop.ended(orchestration)).toMatchObject({ status: "completed" })
})
