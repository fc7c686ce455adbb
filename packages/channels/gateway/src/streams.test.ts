import { setImmediate as breathe } from "node:timers/promises"
import type { Entry, Runtime } from "@orra/core"
import { hang, type ScriptedAnswer, type ScriptStep, say, wait } from "@orra/testing"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { WebSocket } from "ws"
import { type Client, type Harness, harness, OWNER, OWNER_KEY, openEvents, sessionPath } from "./fixture.ts"

const key = OWNER_KEY
const NS = OWNER.namespace.child("talk")
const MB = 1024 * 1024
const EVENTS = sessionPath(NS, "/events")

/** Numbers below `max` that are the same in every run with this seed (mulberry32). */
function dice(seed: number): (max: number) => number {
  let state = seed
  return (max) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % max
  }
}

/** An answer in pieces, between which others get their turn. */
const slowly: ScriptedAnswer = () =>
  Array.from({ length: 30 }).flatMap((_, index): ScriptStep[] => [say(`piece ${index} `), wait(breathe())])

const isEnd = (entry: Entry) => entry.type === "run_finished"
const lasting = (entries: readonly Entry[]) => entries.filter(({ type }) => type !== "delta")

describe("a cursor", () => {
  test("Last-Event-ID goes on after the event it names, and wins over the address", async () => {
    const gateway = await harness()
    await gateway.converse(NS)
    const log = lasting(await gateway.entries(NS))
    for (const entry of [{ seq: 0 }, ...log.slice(0, -1)]) {
      const id = String(entry.seq)
      const after = log.filter(({ seq }) => seq > entry.seq)
      for (const [path, headers] of [
        [EVENTS, { "last-event-id": id }],
        [`${EVENTS}?after=999`, { "last-event-id": id }],
        [`${EVENTS}?after=${id}`, {}],
      ] as const) {
        const stream = await openEvents(gateway.port, path, { key, headers })
        await stream.entry(isEnd)
        expect(stream.entries).toEqual(after)
        stream.close()
      }
    }
    for (const bad of ["-1", "x", "1.5", "1e99", "NaN"]) {
      expect((await gateway.send(`${EVENTS}?after=${bad}`, { key })).status, bad).toBe(400)
      expect((await gateway.send(EVENTS, { key, headers: { "last-event-id": bad } })).status, bad).toBe(400)
    }
  })

  /** Reads a session with broken connections until the end of run number `runs`; what came, over all of them. */
  async function patchwork(gateway: Harness, seed: number, runs: number): Promise<readonly Entry[]> {
    const roll = dice(seed)
    const seen: Entry[] = []
    while (seen.filter(isEnd).length < runs) {
      const after = seen.at(-1)?.seq ?? 0
      const enough = roll(25)
      const isEnough = (got: readonly Entry[]) =>
        got.length > enough || [...seen, ...got].filter(isEnd).length >= runs
      if (roll(2) === 0) {
        const stream = await openEvents(gateway.port, `${EVENTS}?after=${after}`, { key })
        if (stream.status === 404) continue
        await stream.entry(() => isEnough(stream.entries))
        stream.close()
        seen.push(...stream.entries)
      } else {
        const client = await gateway.connect({ key })
        client.send({ type: "subscribe", namespace: NS.key, after })
        await client.frame("event", () => isEnough(client.entries(NS)))
        client.socket.terminate()
        seen.push(...client.entries(NS))
      }
    }
    return seen
  }

  test.each([1, 2, 3, 4, 5])(
    "gives each entry once and in order, over any disconnections (%i)",
    async (seed) => {
      const runs = 6
      const gateway = await harness({ scripted: { otherwise: slowly } })
      await gateway.runtime.submit(NS, "First")
      const readers = [0, 1, 2].map((reader) => patchwork(gateway, seed * 100 + reader, runs))
      for (let run = 1; run < runs; run++)
        await gateway.send(sessionPath(NS, "/messages"), { key, body: { message: `Message ${run}` } })
      const log = lasting(await Promise.all(readers).then(() => gateway.entries(NS)))
      for (const seen of await Promise.all(readers)) {
        const numbers = seen.map(({ seq }) => seq)
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
        expect(lasting(seen)).toEqual(log)
      }
    },
  )

  test("a new subscription to a session ends the old one, in the middle of what it was sending", async () => {
    const gateway = await harness()
    for (let index = 0; index < 80; index++) await gateway.converse(NS, "x".repeat(200_000))
    const { version = 0 } = (await gateway.runtime.info(NS)) ?? {}
    const client = await gateway.connect({ key })
    const buffered = serverBuffers(client)
    const subscribed = vi.spyOn(gateway.runtime, "subscribe")
    client.socket.pause()
    client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    await expect.poll(() => buffered.peak).toBeGreaterThanOrEqual(MB)
    client.send({ type: "subscribe", namespace: NS.key, after: version - 1 })
    await expect.poll(() => subscribed).toHaveBeenCalledTimes(2)
    client.socket.resume()
    await client.frame("event", ({ event }) => "seq" in event && event.seq === version)
    client.send({ type: "unsubscribe", namespace: NS.key })
    await client.settled()
    const numbers = client.entries(NS).map(({ seq }) => seq)
    const log = (await gateway.entries(NS)).map(({ seq }) => seq)
    expect(numbers).toEqual([...log.slice(0, numbers.length - 1), version])
    expect(numbers.length).toBeLessThan(log.length)
    await gateway.converse(NS)
    await client.settled()
    expect(client.entries(NS)).toHaveLength(numbers.length)
  })
})

/** The most bytes that waited on a socket of the server's since now, and whether it is read no longer for that. */
function serverBuffers(...clients: readonly Client[]): { readonly peak: number; readonly held: boolean } {
  const { send } = WebSocket.prototype
  const own = new Set(clients.map(({ socket }) => socket))
  let last: WebSocket | undefined
  let peak = 0
  const spy = vi.spyOn(WebSocket.prototype, "send").mockImplementation(function (this: WebSocket, ...args) {
    send.apply(this, args as Parameters<typeof send>)
    if (own.has(this)) return
    last = this
    peak = Math.max(peak, this.bufferedAmount)
  })
  onTestFinished(() => spy.mockRestore())
  return {
    get peak() {
      return peak
    },
    get held() {
      return last?.isPaused === true && last.bufferedAmount >= 4 * MB
    },
  }
}

/** Resolves each time a subscription of the runtime has ended, and counts those that go on. */
function subscriptions(runtime: Runtime) {
  const subscribe = runtime.subscribe.bind(runtime)
  const state = { open: 0, changed: () => {} }
  vi.spyOn(runtime, "subscribe").mockImplementation(async function* (namespace, options) {
    state.open++
    state.changed()
    try {
      yield* subscribe(namespace, options)
    } finally {
      state.open--
      state.changed()
    }
  })
  const until = (open: number) =>
    new Promise<void>((resolve) => {
      state.changed = () => {
        if (state.open === open) resolve()
      }
      state.changed()
    })
  return { until, state }
}

describe("a client that leaves", () => {
  test("is followed no longer, though nothing happens in the session", async () => {
    const gateway = await harness({ script: ["One.", [say("x"), hang()]] })
    await gateway.converse(NS)
    const { until } = subscriptions(gateway.runtime)
    const stream = await openEvents(gateway.port, EVENTS, { key })
    await until(1)
    stream.close()
    await until(0)
    const body = { message: "Hi", namespace: NS.key, stream: true }
    const chat = await openEvents(gateway.port, "/api/chat", { method: "POST", key, body })
    await until(1)
    chat.close()
    await until(0)
    const client = await gateway.connect({ key })
    client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    await until(1)
    client.socket.terminate()
    await until(0)
    expect(gateway.runtime.isRunning(NS)).toBe(true)
  })

  test("HEAD of a stream opens none", async () => {
    const gateway = await harness()
    await gateway.converse(NS)
    const { state } = subscriptions(gateway.runtime)
    const [begun, ended] = [vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "clearInterval")]
    try {
      const { status, headers } = await gateway.send(EVENTS, { method: "HEAD", key })
      expect([status, headers["content-type"]]).toEqual([200, "text/event-stream; charset=utf-8"])
      expect(begun).toHaveBeenCalledTimes(1)
      expect(ended.mock.calls[0]?.[0]).toBe(begun.mock.results[0]?.value)
      expect(state.open).toBe(0)
    } finally {
      begun.mockRestore()
      ended.mockRestore()
    }
  })
})

test("a client that does not read holds up nobody, fills no memory, and catches up", async () => {
  const gateway = await harness()
  const [slow, quick] = [await gateway.connect({ key }), await gateway.connect({ key })]
  const buffered = serverBuffers(slow, quick)
  for (const client of [slow, quick]) {
    client.send({ type: "watch" })
    client.send({ type: "subscribe", namespace: NS.key, after: 0 })
    await client.settled()
  }
  slow.socket.pause()
  for (let index = 0; index < 60; index++) await gateway.converse(NS, "x".repeat(200_000))
  const log = lasting(await gateway.entries(NS))
  const last = log.at(-1)?.seq
  const isLast = ({ event }: { event: unknown }) => (event as { seq?: number }).seq === last
  await quick.frame("event", isLast)
  expect(lasting(quick.entries(NS))).toEqual(log)
  expect(slow.entries(NS).length).toBeLessThan(log.length)
  // 12 MB were written; the kernel holds some of them, and what it did not take is at most this.
  expect(buffered.peak).toBeLessThan(2 * MB)
  slow.socket.resume()
  await slow.frame("event", isLast)
  expect(lasting(slow.entries(NS))).toEqual(log)
})

test("a client that only sends is not answered without bound", async () => {
  const gateway = await harness()
  const client = await gateway.connect({ key })
  const buffered = serverBuffers(client)
  client.socket.pause()
  const frame = JSON.stringify({ type: "x", namespace: "n".repeat(1_000) })
  let sent = 0
  while (!buffered.held && buffered.peak < 16 * MB) {
    for (let index = 0; index < 200; index++) client.send(frame)
    sent += 200
    await breathe()
  }
  expect(buffered.held).toBe(true)
  expect(buffered.peak).toBeLessThan(5 * MB)
  client.socket.resume()
  const answered = () => client.frames.filter(({ type }) => type === "error").length
  await expect.poll(() => answered()).toBe(sent)
})
