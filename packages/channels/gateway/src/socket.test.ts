import { end, hang, retry, say } from "@orra/testing"
import { describe, expect, test, vi } from "vitest"
import { harness, OWNER, OWNER_KEY, sessionPath } from "./fixture.ts"

const key = OWNER_KEY
const NS = OWNER.namespace.child("talk")

describe("WebSocket", () => {
  test("hello, a message, its acknowledgement and its events", async () => {
    const gateway = await harness({
      script: [[retry("overloaded", 1), say("Hi"), end({})]],
      version: "1.2.3",
    })
    const client = await gateway.connect({ key })
    expect(client.frames[0]).toEqual({
      type: "hello",
      principal: { name: "owner", namespace: "web", permissions: ["chat", "model", "owner"] },
      version: "1.2.3",
    })
    client.send({ type: "watch" })
    client.send({ type: "watch" })
    client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    client.send({ type: "chat", id: "a", namespace: NS.key, message: "Hello" })
    const ack = await client.frame("ack")
    expect(ack).toMatchObject({ id: "a", namespace: NS.key, status: "started", cursor: 0 })
    await client.frame("event", ({ event }) => event.type === "run_finished")
    const types = client.frames.flatMap((frame) => (frame.type === "event" ? [frame.event.type] : []))
    expect(types).toContain("retry")
    expect(types.at(0)).toBe("user")
    const session = await client.frame("session", ({ session }) => !session.running && session.messages === 2)
    expect(session.session.namespace).toBe(NS.key)
  })

  test("R2: two sockets are in step, with all that one of them does", async () => {
    const gateway = await harness({ script: ["One.", [say("Two"), hang()]] })
    const [a, b] = [await gateway.connect({ key }), await gateway.connect({ key })]
    for (const client of [a, b]) {
      client.send({ type: "watch" })
      client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    }
    a.send({ type: "chat", id: "1", namespace: NS.key, message: "First" })
    const done = ({ event }: { event: { type: string } }) => event.type === "run_finished"
    await b.frame("event", done)
    b.send({ type: "chat", id: "2", namespace: NS.key, message: "Second" })
    await gateway.provider.request(2)
    a.send({ type: "stop", namespace: NS.key })
    const stopped = ({ event }: { event: unknown }) => (event as { outcome?: string }).outcome === "stopped"
    await Promise.all([a.frame("event", stopped), b.frame("event", stopped)])
    const log = (await gateway.entries(NS)).filter(({ type }) => type !== "delta")
    for (const client of [a, b])
      expect(client.entries(NS).filter(({ type }) => type !== "delta")).toEqual(log)
    await gateway.send(sessionPath(NS), { method: "DELETE", key })
    await Promise.all([a.frame("session_deleted"), b.frame("session_deleted")])
  })

  test("R10: what is told of a session is there to be read", async () => {
    const gateway = await harness({ script: ["One.", "Two."] })
    const client = await gateway.connect({ key })
    client.send({ type: "watch" })
    await client.settled()
    for (const round of [1, 2]) {
      client.send({ type: "chat", id: `${round}`, namespace: NS.key, message: "Go on" })
      const { session } = await client.frame("session", ({ session }) => session.messages === 2 * round)
      const said = (await gateway.entries(NS)).filter(({ type }) => type === "user" || type === "assistant")
      expect(said.length).toBeGreaterThanOrEqual(session.messages)
    }
  })

  test("twenty messages in one breath keep their order", async () => {
    const gateway = await harness()
    const client = await gateway.connect({ key })
    for (let index = 0; index < 20; index++)
      client.send({
        type: "chat",
        id: `${index}`,
        namespace: NS.key,
        message: `m${index}`,
        inputId: `i${index}`,
      })
    client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    await client.frame("event", ({ event }) => event.type === "user" && event.inputId === "i19")
    const users = client.entries(NS).flatMap((entry) => (entry.type === "user" ? [entry.inputId] : []))
    expect(users).toEqual(Array.from({ length: 20 }, (_, index) => `i${index}`))
  })

  test("a change of a session is written once for all who watch", async () => {
    const gateway = await harness()
    const clients = await Promise.all(Array.from({ length: 5 }, () => gateway.connect({ key })))
    for (const client of clients) client.send({ type: "watch" })
    for (const client of clients) await client.settled()
    const asked = vi.spyOn(gateway.runtime, "isRunning")
    await gateway.converse(NS)
    for (const client of clients) await client.frame("session", ({ session }) => session.messages === 2)
    const frames = clients[0]?.frames.filter(({ type }) => type === "session").length
    expect(asked.mock.calls.length).toBeLessThanOrEqual(frames ?? 0)
  })
})
