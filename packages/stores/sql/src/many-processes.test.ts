import { messageText } from "@orra/core"
import { beforeAll, describe, expect, test, vi } from "vitest"
import { ACME, TIGHT } from "./peer.child.ts"
import { asked, askedByOne, executed, type Peer, run, submit, WAIT, world } from "./peer-fixture.ts"

const MINUTES = 60_000

describe.each(["PostgreSQL", "SQLite"] as const)("many processes on %s", (kind) => {
  const { start, session, entries, store } = world(kind)
  let a: Peer
  let b: Peer
  beforeAll(async () => {
    const started = await Promise.all([start({ name: "a" }), start({ name: "b" })])
    a = started[0]
    b = started[1]
  }, 60_000)

  const said = async (ns: ReturnType<typeof session>) =>
    (await entries(ns, "user")).map(({ message }) => messageText(message))
  const outcomes = async (ns: ReturnType<typeof session>) =>
    (await entries(ns, "run_finished")).map(({ outcome }) => outcome)
  const ended = (ns: ReturnType<typeof session>, ...expected: readonly string[]) =>
    vi.waitFor(async () => expect(await outcomes(ns)).toEqual(expected), WAIT)

  test("what one process runs, another adds to, takes back from, and stops", async () => {
    const ns = session()
    const first = run(a, ns, "hang 0")
    await asked(a, "hang 0")
    expect(await submit(b, ns, "second", { inputId: "2" })).toMatchObject({ status: "queued" })
    const third = run(b, ns, "third")
    await expect(submit(b, ns, "no", { whenBusy: "reject" })).rejects.toThrow("session_busy")
    expect(await b.tell(ns, { do: "cancel", inputId: "2" })).toBe(true)
    expect(await b.tell(ns, { do: "stop" })).toBe(true)
    expect((await first).outcome).toBe("stopped")
    expect(await third).toMatchObject({ outcome: "completed", text: "You said third." })
    expect(await said(ns)).toEqual(["hang 0", "third"])
    await ended(ns, "stopped", "completed")
    expect(await b.tell(ns, { do: "stop" })).toBe(false)
    // What waits is run by whoever is first.
    await askedByOne([a, b], "third")
  })

  test("a message that interrupts comes before those that wait; one that is edited takes another's place", async () => {
    const ns = session()
    const first = run(a, ns, "hang 1")
    await asked(a, "hang 1")
    await submit(b, ns, "waits")
    const urgent = run(b, ns, "urgent", { whenBusy: "interrupt" })
    expect((await first).outcome).toBe("stopped")
    expect((await urgent).text).toBe("You said urgent.")
    await ended(ns, "stopped", "completed", "completed")
    expect(await said(ns)).toEqual(["hang 1", "urgent", "waits"])

    const again = run(a, ns, "hang once more")
    await askedByOne([a, b], "hang once more")
    await b.tell(ns, { do: "edit", seq: (await entries(ns, "user"))[3]?.seq ?? 0, text: "instead" })
    expect((await again).outcome).toBe("stopped")
    await ended(ns, "stopped", "completed", "completed", "stopped", "completed")
    const last = (await entries(ns, "rewind")).at(-1)
    expect(last?.to).toBe(((await entries(ns, "user"))[3]?.seq ?? 0) - 1)
  })

  test("a message that steers joins the run in the other process, and one that is detached loses its caller", async () => {
    const ns = session()
    const first = run(a, ns, "slow one")
    await asked(a, "slow one")
    expect(await submit(b, ns, "and this", { whenBusy: "steer" })).toMatchObject({ status: "queued" })
    expect(await b.tell(ns, { do: "detach" })).toBe(true)
    expect((await first).outcome).toBe("detached")
    for (let count = 0; count < 5; count++) await a.tell(ns, { do: "piece", of: "slow one" })
    await ended(ns, "completed")
    expect(await said(ns)).toEqual(["slow one", "and this"])
  })

  test("whoever follows elsewhere sees each entry once, in order, and the text grow while it is written", async () => {
    const ns = session()
    const other = session()
    const following = b.tell(ns, { do: "follow", after: 0 })
    const watching = b.said.length
    void b.tell(ACME, { do: "watch" })
    const first = run(a, ns, "slow two")
    let text = ""
    const shown = (): string =>
      b.events
        .flatMap((event) => (event.type === "delta" ? event.pieces : []))
        .map((piece) => (piece.type === "text" ? piece.text : ""))
        .join("")
    // The next piece is said when the other process has shown this one.
    for (let count = 0; count < 4; count++) {
      await a.tell(ns, { do: "piece", of: "slow two" })
      text += `${count} `
      await vi.waitFor(() => expect(shown()).toBe(text), WAIT)
    }
    await a.tell(ns, { do: "piece", of: "slow two" })
    await first
    await following
    const seqs = b.events.map((event) => ("seq" in event ? event.seq : 0))
    expect(seqs).toEqual(seqs.toSorted((x, y) => x - y))
    expect(new Set(seqs).size).toBe(seqs.length)
    const left = (await store().read(ns)).map(({ seq }) => seq)
    expect(seqs).toEqual(expect.arrayContaining(left))
    await run(a, other, "hello")
    const changes = () => b.said.slice(watching).flatMap((reply) => (reply.type === "change" ? [reply] : []))
    const last = () => changes().findLast(({ session }) => session === other.key)
    await vi.waitFor(() => expect(changes().map(({ session }) => session)).toContain(ns.key), WAIT)
    await vi.waitFor(() => expect(last()?.version).toBeGreaterThan(0), WAIT)
    // One that is deleted and begun anew is read from its beginning.
    const { version = 0 } = (await store().info(other)) ?? {}
    const again = b.tell(other, { do: "follow", after: version })
    const seen = b.events.length
    await a.tell(other, { do: "delete" })
    await run(a, other, "hello again")
    await again
    expect(b.events.slice(seen).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["user", "run_started", "assistant", "run_finished"]),
    )
    await a.tell(other, { do: "delete" })
    await vi.waitFor(() => expect(last()).not.toHaveProperty("version"), WAIT)
  })

  test("what is decided, done or granted elsewhere continues the run", async () => {
    const ns = session()
    expect((await run(a, ns, "call pay")).outcome).toBe("waiting")
    await b.tell(ns, { do: "approve" })
    await ended(ns, "completed")
    const [result] = await entries(ns, "tool_result")
    expect(result?.result).toMatchObject({ status: "ok", content: [{ text: "paid" }] })

    const later = session()
    expect((await run(a, later, "call later")).outcome).toBe("waiting")
    expect(await b.tell(later, { do: "wake" })).toBe(true)
    await ended(later, "completed")

    const poor = session("poor")
    expect((await run(a, poor, "call keyless")).outcome).toBe("waiting")
    await b.tell(poor, { do: "grant" })
    await ended(poor, "completed")
  })

  test("runs of a process that is killed go on in another: with the same key, or unknown, and those that wait wait", async () => {
    const [dying, heir] = await Promise.all([start({ name: "a" }), start({ name: "heir", takeOver: "" })])
    const sessions = [session(), session(), session(), session()] as const
    const [keyed, once, plain, waits] = sessions
    expect((await run(dying, waits, "call pay")).outcome).toBe("waiting")
    void submit(dying, keyed, "call keyed")
    void submit(dying, once, "call once")
    void submit(dying, plain, "hang 5")
    await Promise.all([executed(dying, "keyed"), executed(dying, "once"), asked(dying, "hang 5")])
    await vi.waitFor(async () => expect(await entries(plain, "delta")).not.toEqual([]), WAIT)
    await submit(heir, once, "after that")
    await dying.kill()
    await ended(keyed, "completed")
    await ended(once, "completed", "completed")
    await ended(plain, "completed")
    const key = (peer: Peer) =>
      peer.said.find((reply) => reply.type === "executed" && reply.what.startsWith("keyed"))
    expect(key(heir)).toEqual(key(dying))
    expect((await entries(keyed, "tool_result"))[0]?.result).toMatchObject({ status: "ok" })
    expect((await entries(once, "tool_result"))[0]?.result).toMatchObject({ status: "unknown" })
    expect(await said(once)).toEqual(["call once", "after that"])
    const [half] = await entries(plain, "assistant")
    expect(half).toMatchObject({ status: "interrupted", message: { parts: [{ text: "Half" }] } })
    expect((await store().info(waits))?.waiting).toBeDefined()
    expect(await store().abandoned?.(ACME)).toEqual([])
    await heir.kill()
    // Whoever asked is dead: the run goes on where somebody decides.
    await b.tell(waits, { do: "approve" })
    await ended(waits, "completed")
    expect(await executed(b, "pay")).toBeUndefined()
  })

  test("what a dead process left is closed instead, where that is wanted, and what was sent meanwhile runs", async () => {
    const closing = session("closing")
    const [dying, closer] = await Promise.all([
      start({ name: "a" }),
      start({ name: "closer", takeOver: "closing", resume: false }),
    ])
    const stopped = session()
    void submit(dying, closing, "hang and close")
    void submit(dying, stopped, "hang and stop")
    await Promise.all([asked(dying, "hang and close"), asked(dying, "hang and stop")])
    await dying.kill()
    await submit(closer, closing, "after that")
    // Nobody takes this one over: whoever was asked to stop it does when it can.
    expect(await b.tell(stopped, { do: "stop" })).toBe(true)
    await ended(closing, "interrupted", "completed")
    // Where its lease has run out by the time it is asked to stop, the run is found dead.
    await vi.waitFor(
      async () => expect(["stopped", "interrupted"]).toContain((await outcomes(stopped))[0]),
      WAIT,
    )
    expect(closer.said.some((reply) => reply.type === "asked" && reply.what === "hang and stop")).toBe(false)
  })

  test.each([10 * MINUTES, -10 * MINUTES])(
    "a process whose clock is %d ms off takes nothing from anybody",
    async (shift) => {
      const off = await start({ name: "off", shift, takeOver: "", approvalTtlMs: 5 * MINUTES })
      const ns = session()
      const first = run(a, ns, `hang ${shift}`)
      await asked(a, `hang ${shift}`)
      expect(await submit(off, ns, "waits")).toMatchObject({ status: "queued" })
      expect((await store().info(ns))?.openRun).toBeDefined()
      await off.tell(ns, { do: "stop" })
      expect((await first).outcome).toBe("stopped")
      await ended(ns, "stopped", "completed")

      // What the one asks, the other may decide, and neither is too late.
      for (const [asks, decides] of [
        [off, a],
        [a, off],
      ] as const) {
        const waits = session()
        expect((await run(asks, waits, "call pay")).outcome).toBe("waiting")
        await decides.tell(waits, { do: "recover" })
        await decides.tell(waits, { do: "approve" })
        await ended(waits, "completed")
        expect((await entries(waits, "tool_result"))[0]?.result).toMatchObject({ status: "ok" })
      }
      // What the one has reserved for a call that is under way, the other does not take for abandoned.
      const place = TIGHT[shift > 0 ? 0 : 1]
      const last = session(place)
      const calling = run(a, last, `hang ${shift} once more`)
      await asked(a, `hang ${shift} once more`)
      await expect(run(off, session(place), "hello")).rejects.toThrow("budget_exceeded")
      await a.tell(last, { do: "stop" })
      await calling
      await off.tell(ns, { do: "close" })
      expect(await off.ended).toMatchObject({ code: 0, complaint: "" })
    },
  )
})
