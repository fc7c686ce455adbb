import type { Namespace, ProviderErrorKind } from "@orra/core"
import { fail, hang, say, think, virtualClock, wait } from "@orra/testing"
import { describe, expect, test, vi } from "vitest"
import { type Answer, harness, OWNER, OWNER_KEY, type Sent, sessionPath } from "./fixture.ts"

const key = OWNER_KEY
const NS = OWNER.namespace.child("talk")

/** The events of a server-sent stream, with their ids. */
const parseEvents = (text: string) =>
  text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const field = (name: string) =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2)
      return { id: field("id"), event: field("event"), data: JSON.parse(field("data") ?? "null") as unknown }
    })

describe("POST /api/chat", () => {
  test("R6: answers with the text, the session and the usage", async () => {
    const { send, entries } = await harness({ script: [[think("hm"), say("Hello, "), say("you.")]] })
    const { status, json } = await send("/api/chat", { key, body: { message: "Hi" } })
    expect(status).toBe(200)
    expect(json).toEqual({
      message: "Hello, you.",
      namespace: expect.stringMatching(/^web:[0-9a-f]{32}$/),
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
    })
    expect(await entries(OWNER.namespace)).toEqual([])
  })

  test("goes on with a session, and null is as good as nothing", async () => {
    const { send, provider } = await harness()
    const body = { message: "Hi", namespace: NS.key, model: null }
    expect((await send("/api/chat", { key, body })).json["namespace"]).toBe(NS.key)
    await send("/api/chat", { key, body: { ...body, model: "other-1" } })
    expect(provider.requests[1]?.messages).toHaveLength(3)
    expect(provider.requests[1]?.model).toBe("other-1")
    expect((await send("/api/chat", { key, body: { message: "Hi", namespace: null } })).status).toBe(200)
  })

  test("streams when asked to, and says in which session", async () => {
    const { send } = await harness({ script: [[say("a", "b")], "c"] })
    for (const sent of [
      { body: { message: "Hi", stream: true } },
      { body: { message: "Hi" }, headers: { accept: "text/event-stream" } },
    ]) {
      const { headers, text } = await send("/api/chat", { key, ...sent })
      expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8")
      expect(decodeURIComponent(String(headers["x-namespace"]))).toMatch(/^web:/)
      const events = parseEvents(text)
      expect(events[0]?.event).toBe("user")
      expect(events.at(-1)?.event).toBe("run_finished")
      for (const { id, event, data } of events) expect(data).toMatchObject({ type: event, seq: Number(id) })
    }
  })

  test("a client that leaves leaves the run going", async () => {
    const go = Promise.withResolvers<void>()
    const gateway = await harness({ script: [[say("half "), wait(go.promise), say("whole")]] })
    const leaving = new AbortController()
    const body = { message: "Hi", namespace: NS.key }
    const left = gateway.send("/api/chat", { key, body, signal: leaving.signal })
    const { runId } = await started(gateway, NS)
    leaving.abort()
    await expect(left).rejects.toThrow()
    go.resolve()
    expect((await gateway.runtime.result(NS, runId)).text).toBe("half whole")
  })

  test("the same input is not run twice", async () => {
    const { send, provider } = await harness()
    const body = { message: "Hi", namespace: NS.key, inputId: "one" }
    const [first, second] = [await send("/api/chat", { key, body }), await send("/api/chat", { key, body })]
    expect(second.json).toEqual(first.json)
    expect(provider.requests).toHaveLength(1)
  })

  const FAILURES: readonly (readonly [ProviderErrorKind, number])[] = [
    ["auth", 502],
    ["rate_limit", 503],
    ["overloaded", 503],
    ["invalid_request", 502],
    ["model_not_found", 502],
    ["quota", 502],
    ["network", 502],
    ["timeout", 504],
    ["protocol", 502],
    ["not_configured", 503],
  ]
  test.each(FAILURES)("a provider's %s is answered with %i", async (kind, status) => {
    const { send } = await harness({ script: [fail(kind, "In words."), "Better."] })
    const body = { message: "Hi", namespace: NS.key }
    const answer = await send("/api/chat", { key, body })
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({
      code: `provider_${kind}`,
      error: "In words.",
      requestId: expect.any(String),
    })
    expect((await send("/api/chat", { key, body })).json["message"]).toBe("Better.")
  })

  test("a failure nobody foresaw is told to the log, and not to the client", async () => {
    const { send, log } = await harness({ script: [fail(new Error("path /home/secret"))] })
    const answer = await send("/api/chat", { key, body: { message: "Hi" } })
    expect(answer.status).toBe(500)
    expect(answer.json["code"]).toBe("internal")
    expect(answer.text).not.toContain("/home/secret")
    expect(log.some((entry) => entry.type === "error" && String(entry.error).includes("/home"))).toBe(true)
  })
})

async function started(gateway: Awaited<ReturnType<typeof harness>>, namespace: Namespace) {
  await gateway.provider.request(1)
  const entries = await gateway.entries(namespace)
  const run = entries.find(({ type }) => type === "run_started")
  return { runId: run?.type === "run_started" ? run.runId : "" }
}

describe("sessions", () => {
  const post = (send: (path: string, sent: Sent) => Promise<Answer>, rest: string, body: unknown) =>
    send(sessionPath(NS, rest), { key, body })

  test("a message begins a session, and is answered at once", async () => {
    const gateway = await harness()
    const { status, json } = await post(gateway.send, "/messages", { message: "Hi", inputId: "one" })
    expect(status).toBe(202)
    expect(json).toEqual({
      namespace: NS.key,
      inputId: "one",
      status: "started",
      runId: expect.any(String),
      cursor: 0,
    })
    await gateway.runtime.result(NS, String(json["runId"]))
    const again = await post(gateway.send, "/messages", { message: "Hi", inputId: "one" })
    expect(again.json).toMatchObject({ status: "duplicate", cursor: 0 })
    const read = (await gateway.send(sessionPath(NS), { key })).json
    expect(read).toMatchObject({
      info: { namespace: NS.key, messages: 2, running: false, metadata: {} },
      more: false,
      forks: [],
      queued: [],
    })
  })

  test("stop, queue, take back, and go on", async () => {
    const gateway = await harness({ script: [[say("Half"), hang()], "The rest.", "More."] })
    await post(gateway.send, "/messages", { message: "One" })
    await gateway.provider.request(1)
    const queued = await post(gateway.send, "/messages", { message: "Two", inputId: "two" })
    expect(queued.json).toMatchObject({ status: "queued" })
    const read = await gateway.send(sessionPath(NS), { key })
    expect(read.json["queued"]).toMatchObject([{ inputId: "two" }])
    expect((await post(gateway.send, "/messages", { message: "x", whenBusy: "reject" })).status).toBe(409)
    const cancel = () => gateway.send(sessionPath(NS, "/inputs/two"), { method: "DELETE", key })
    expect((await cancel()).json).toEqual({ cancelled: true })
    expect((await cancel()).json).toEqual({ cancelled: false })
    expect((await post(gateway.send, "/stop", {})).json).toEqual({ stopped: true })
    expect((await post(gateway.send, "/stop", {})).json).toEqual({ stopped: false })
    const resumed = await post(gateway.send, "/resume", {})
    expect(resumed.status).toBe(202)
    expect((await gateway.runtime.result(NS, String(resumed.json["runId"]))).text).toBe("The rest.")
  })

  test("edit, regenerate and switch between the branches", async () => {
    const gateway = await harness({ script: ["First.", "Second.", "Third."] })
    await gateway.converse(NS, "Question")
    const finish = async ({ status, json }: Answer) => {
      expect(status).toBe(202)
      await gateway.runtime.result(NS, String(json["runId"]))
    }
    const texts = async () => {
      const { json } = await gateway.send(sessionPath(NS), { key })
      return (json["entries"] as { type: string; message: { parts: { text: string }[] } }[])
        .filter(({ type }) => type === "user" || type === "assistant")
        .map(({ message }) => message.parts[0]?.text)
    }
    await finish(await post(gateway.send, "/regenerate", { seq: 1 }))
    expect(await texts()).toEqual(["Question", "Second."])
    await finish(await post(gateway.send, "/edit", { seq: 1, message: "Better question" }))
    expect(await texts()).toEqual(["Better question", "Third."])
    const first = (await gateway.entries(NS)).find((entry) => entry.type === "run_finished")
    const switched = await post(gateway.send, "/branch", { tip: first?.seq })
    expect(switched.json).toEqual({ switched: true })
    expect(await texts()).toEqual(["Question", "First."])
    for (const [rest, body] of [
      ["/edit", { seq: 999, message: "x" }],
      ["/edit", { seq: 3, message: "x" }],
      ["/regenerate", { seq: 999 }],
      ["/branch", { tip: 999 }],
    ] as const)
      expect((await post(gateway.send, rest, body)).json["code"], rest).toBe("not_found")
  })

  test("names: given, cut, taken away, found", async () => {
    const { send, converse } = await harness()
    await converse(NS)
    await converse(OWNER.namespace.child("other"))
    const rename = async (title: unknown, method = "PATCH", rest = "") =>
      (await send(sessionPath(NS, rest), { method, key, body: { title } })).json["metadata"]
    expect(await rename("  Straße nach Süden ")).toMatchObject({ title: "Straße nach Süden" })
    const found = async (text: string) => {
      const { json } = await send(`/api/sessions?q=${encodeURIComponent(text)}`, { key })
      return (json["sessions"] as { namespace: string }[]).map(({ namespace }) => namespace)
    }
    for (const text of ["süd", "STRASSE", "ße N"]) expect(await found(text), text).toEqual([NS.key])
    for (const text of ["%", "_", "west", "'"]) expect(await found(text), text).toEqual([])
    expect(await rename("x".repeat(300), "PUT", "/name")).toMatchObject({ title: "x".repeat(200) })
    expect(await rename(`${"👪".repeat(199)}👪👪`)).toMatchObject({ title: "👪".repeat(200) })
    expect(await rename("\ud800 alone")).toMatchObject({ title: "\ufffd alone" })
    expect(await rename("")).not.toHaveProperty("title")
    expect((await send(sessionPath(NS), { method: "PATCH", key, body: { title: 7 } })).status).toBe(400)
  })

  test("pages, newest first, each session once", async () => {
    const { send, converse } = await harness()
    const names = Array.from({ length: 7 }, (_, index) => `s${index}`)
    for (const name of names) await converse(OWNER.namespace.child(name))
    const seen: string[] = []
    let cursor: unknown
    do {
      const at = cursor === undefined ? "" : `&cursor=${encodeURIComponent(String(cursor))}`
      const { json } = await send(`/api/sessions?limit=3${at}`, { key })
      seen.push(...(json["sessions"] as { namespace: string }[]).map(({ namespace }) => namespace))
      cursor = json["cursor"]
    } while (cursor !== undefined)
    expect(seen.sort()).toEqual(names.map((name) => `web:${name}`))
  })

  test("a window of a long transcript", async () => {
    const { send, converse } = await harness()
    for (let index = 0; index < 4; index++) await converse(NS, `Message ${index}`)
    const window = async (query: string) => (await send(sessionPath(NS, query), { key })).json
    const last = await window("?limit=4")
    expect(last["more"]).toBe(true)
    const entries = last["entries"] as { seq: number }[]
    expect(entries).toHaveLength(4)
    const before = (await window(`?limit=500&before=${entries[0]?.seq}`))["entries"] as { seq: number }[]
    expect([...before, ...entries].map(({ seq }) => seq)).toEqual(
      ((await window("?limit=1000"))["entries"] as { seq: number }[]).map(({ seq }) => seq),
    )
    expect((await window("?before=0"))["entries"]).toEqual([])
    expect((await window("?limit=0"))["entries"]).toHaveLength(1)
  })

  test("deleted, restored, and gone after ten minutes", async () => {
    const clock = virtualClock()
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
    try {
      const gateway = await harness({ now: clock.now, script: ["One.", [say("Two"), hang()]] })
      await gateway.converse(NS)
      await post(gateway.send, "/messages", { message: "Two" })
      await gateway.provider.request(2)
      await post(gateway.send, "/messages", { message: "Never asked" })
      const remove = () => gateway.send(sessionPath(NS), { method: "DELETE", key })
      expect((await remove()).json).toEqual({ deleted: true })
      expect((await remove()).status).toBe(404)
      expect(gateway.runtime.isRunning(NS)).toBe(false)
      expect(gateway.provider.requests).toHaveLength(2)
      const listed = async () => (await gateway.send("/api/sessions", { key })).json["sessions"]
      expect(await listed()).toEqual([])
      expect((await post(gateway.send, "/messages", { message: "x" })).status).toBe(404)
      expect(
        (await gateway.send(sessionPath(NS), { method: "PATCH", key, body: { title: "x" } })).status,
      ).toBe(404)
      clock.advance(5 * 60_000)
      await vi.advanceTimersByTimeAsync(60_000)
      expect((await post(gateway.send, "/restore", {})).json).toMatchObject({
        namespace: NS.key,
        messages: 4,
      })
      expect((await post(gateway.send, "/restore", {})).status).toBe(404)
      expect(await listed()).toHaveLength(1)
      await remove()
      clock.advance(10 * 60_000 - 1)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await gateway.runtime.info(NS)).toBeDefined()
      clock.advance(1)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await gateway.runtime.info(NS)).toBeUndefined()
      expect((await post(gateway.send, "/restore", {})).status).toBe(404)
    } finally {
      vi.useRealTimers()
    }
  })

  test("the principal's root is a session as any other, and its deletion touches none below", async () => {
    const gateway = await harness()
    await gateway.converse(OWNER.namespace)
    await gateway.converse(NS)
    await gateway.send(sessionPath(OWNER.namespace), { method: "DELETE", key })
    const { json } = await gateway.send("/api/sessions", { key })
    expect(json["sessions"]).toMatchObject([{ namespace: NS.key }])
  })
})

describe("models", () => {
  const me = { ...OWNER, permissions: ["model"] as const }

  test("as the provider tells, asked once in five minutes", async () => {
    const clock = virtualClock()
    const models = [{ id: "a" }, { id: "b", name: "Bee" }]
    const gateway = await harness({ principals: [me], scripted: { models }, now: clock.now })
    const asked = vi.spyOn(gateway.provider, "models" as never)
    const get = async () => (await gateway.send("/api/models", { key })).json
    for (let index = 0; index < 3; index++) expect(await get()).toEqual({ default: "scripted-1", models })
    expect(asked).toHaveBeenCalledTimes(1)
    clock.advance(5 * 60_000 + 1)
    await get()
    expect(asked).toHaveBeenCalledTimes(2)
  })

  test("the default alone when the provider cannot tell", async () => {
    for (const models of [undefined, []]) {
      const { send } = await harness({ scripted: models ? { models } : {} })
      expect((await send("/api/models", { key })).json).toEqual({
        default: "scripted-1",
        models: [{ id: "scripted-1" }],
      })
    }
  })
})
