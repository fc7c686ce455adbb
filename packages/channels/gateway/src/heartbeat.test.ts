import { once } from "node:events"
import { expect, onTestFinished, test, vi } from "vitest"
import { WebSocket } from "ws"
import { Client, type Harness, harness, OWNER, OWNER_KEY } from "./fixture.ts"

const NS = OWNER.namespace.child("talk")
const MB = 1024 * 1024
const BEAT_MS = 30_000

/** A client that answers no ping, with the beat in the test's hand. */
async function mute(gateway: Harness): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    autoPong: false,
    headers: { authorization: `Bearer ${OWNER_KEY}` },
  })
  onTestFinished(() => socket.terminate())
  const client = new Client(socket)
  await client.frame("hello")
  return client
}

function holdTheBeat(): void {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
  onTestFinished(() => void vi.useRealTimers())
}

test("a client that does not answer is closed at the second beat", async () => {
  holdTheBeat()
  const gateway = await harness()
  const [silent, answering] = [await mute(gateway), await gateway.connect({ key: OWNER_KEY })]
  const pings = [once(silent.socket, "ping"), once(answering.socket, "ping")]
  vi.advanceTimersByTime(BEAT_MS)
  await Promise.all(pings)
  // What it sends after its pong has been handled: so has the pong.
  await answering.settled()
  vi.advanceTimersByTime(BEAT_MS)
  expect((await silent.closed).code).toBe(1006)
  await answering.settled()
})

test("a client that reads slowly is not taken for gone while the ping waits behind what it reads", async () => {
  holdTheBeat()
  const gateway = await harness()
  for (let index = 0; index < 60; index++) await gateway.converse(NS, "x".repeat(200_000))
  const last = (await gateway.entries(NS)).at(-1)?.seq
  const client = await mute(gateway)
  let waiting = 0
  const { send } = WebSocket.prototype
  const spy = vi.spyOn(WebSocket.prototype, "send").mockImplementation(function (this: WebSocket, ...args) {
    send.apply(this, args as Parameters<typeof send>)
    if (this !== client.socket) waiting = this.bufferedAmount
  })
  onTestFinished(() => spy.mockRestore())

  client.socket.pause()
  client.send({ type: "subscribe", namespace: NS.key, after: 0 })
  await expect.poll(() => waiting).toBeGreaterThan(MB)
  vi.advanceTimersByTime(BEAT_MS)
  client.socket.resume()
  await client.frame("event", ({ event }) => "seq" in event && event.seq === last)
  vi.advanceTimersByTime(BEAT_MS)
  const heard = client.settled().then(() => "heard")
  expect(await Promise.race([heard, client.closed])).toBe("heard")

  // It has read everything, so that it is silent now says something.
  vi.advanceTimersByTime(BEAT_MS)
  expect((await client.closed).code).toBe(1006)
})
