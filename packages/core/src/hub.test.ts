import { getEventListeners } from "node:events"
import { describe, expect, test } from "vitest"
import { Hub, Mailbox } from "./hub.ts"
import { Namespace } from "./namespace.ts"

describe("a mailbox", () => {
  test("gives what has arrived, in order, and waits when there is nothing", async () => {
    const box = new Mailbox<number>(10)
    box.push(1)
    box.push(2)
    expect(await box.take()).toEqual([1, 2])
    const later = box.take()
    box.push(3)
    expect(await later).toEqual([3])
  })

  test("drops what does not fit and says so once, but takes what must arrive", async () => {
    const box = new Mailbox<number>(2)
    for (const n of [1, 2, 3]) box.push(n)
    box.push(4, true)
    expect(await box.take()).toEqual([1, 2, 4])
    expect([box.hasLagged(), box.hasLagged()]).toEqual([true, false])
  })

  test("closes with its signal, drops what it holds, and leaves no listener on it", async () => {
    const stop = new AbortController()
    const box = new Mailbox<number>(10, stop.signal)
    const waiting = box.take()
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(1)
    stop.abort()
    expect(await waiting).toEqual([])
    expect(box.closed).toBe(true)
    const closed = new Mailbox<number>(10, stop.signal)
    closed.push(1)
    expect(await closed.take()).toEqual([])
    const other = new AbortController()
    new Mailbox<number>(10, other.signal).close()
    expect(getEventListeners(other.signal, "abort")).toHaveLength(0)
  })

  test("that has ended gives what it holds and then closes", async () => {
    const box = new Mailbox<number>(10)
    box.push(1)
    box.end()
    expect(await box.take()).toEqual([1])
    expect(box.closed).toBe(false)
    expect(await box.take()).toEqual([])
    expect(box.closed).toBe(true)
  })
})

describe("a hub", () => {
  test("tells only who listens to that namespace, or above it, in order, until they stop", () => {
    const hub = new Hub<string>()
    const heard: string[] = []
    const [acme, bob, bobby] = ["acme", "acme:bob", "acme:bobby"].map((key) => Namespace.parse(key))
    if (!acme || !bob || !bobby) throw new Error("unreachable")
    const offs = [
      hub.on(bob, (item) => heard.push(`bob ${item}`)),
      hub.onPrefix(acme, (item) => heard.push(`acme ${item}`)),
      hub.onPrefix(bob, (item) => heard.push(`below bob ${item}`)),
    ]
    hub.emit(bobby, "1")
    hub.emit(bob, "2")
    expect(heard).toEqual(["acme 1", "bob 2", "acme 2", "below bob 2"])
    for (const off of offs) off()
    for (const off of offs) off()
    hub.emit(bob, "3")
    expect(heard).toHaveLength(4)
  })

  test("stands listeners that leave while it speaks", () => {
    const hub = new Hub<number>()
    const ns = Namespace.of("a")
    let count = 0
    const off = hub.on(ns, () => {
      count++
      off()
    })
    hub.on(ns, () => count++)
    hub.emit(ns, 1)
    hub.emit(ns, 2)
    expect(count).toBe(3)
  })
})
