import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { DeltaWriter } from "./delta-writer.ts"
import type { DeltaPiece, Entry, NewEntry } from "./session.ts"

const pauses = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.oneof(fc.constant(0), fc.nat(60))))
const say = (text: string): DeltaPiece => ({ type: "text", text })

/** A log whose writes end when the test says so. */
function slowLog() {
  const written: NewEntry<"delta">[] = []
  const ends: PromiseWithResolvers<readonly Entry[]>[] = []
  const append = (entry: NewEntry<"delta">): Promise<readonly Entry[]> => {
    const end = Promise.withResolvers<readonly Entry[]>()
    ends.push(end)
    written.push(entry)
    return end.promise
  }
  const finish = async (seq = written.length): Promise<void> => {
    const entry = written.at(-1)
    ends.shift()?.resolve(entry ? [{ seq, ...entry }] : [])
    await vi.advanceTimersByTimeAsync(0)
  }
  const fail = async (error: unknown): Promise<void> => {
    ends.shift()?.reject(error)
    await vi.advanceTimersByTimeAsync(0)
  }
  const writer = (intervalMs: number) => new DeltaWriter({ runId: "r", messageId: "m", intervalMs, append })
  return { written, finish, fail, writer, pending: ends }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe("pieces", () => {
  test("the first is on its way at once; those that come while it is written, or soon after, share the next", async () => {
    const log = slowLog()
    const writer = log.writer(30)
    writer.push(say("a"))
    expect(log.written).toMatchObject([{ runId: "r", messageId: "m", pieces: [say("a")] }])
    writer.push(say("b"))
    writer.push(say("c"))
    await log.finish()
    writer.push(say("d"))
    expect(log.written).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30)
    expect(log.written[1]?.pieces).toEqual([say("bcd")])
    await log.finish()
    await vi.advanceTimersByTimeAsync(100)
    expect(log.written).toHaveLength(2)
    writer.push(say("e"))
    expect(log.written[2]?.pieces).toEqual([say("e")])
  })

  test("of one kind are joined, of several keep their order; a call that begins is not joined to another", async () => {
    const log = slowLog()
    const writer = log.writer(30)
    writer.push(say("x"))
    for (const piece of [
      say("a"),
      say("b"),
      { type: "thinking", text: "t" },
      { type: "tool_call", id: "1", name: "n" },
      { type: "tool_call", id: "1", text: '{"a"' },
      { type: "tool_call", id: "1", text: ":1}" },
      { type: "tool_call", id: "2", name: "n" },
    ] as const satisfies DeltaPiece[])
      writer.push(piece)
    await log.finish()
    await vi.advanceTimersByTimeAsync(30)
    expect(log.written[1]?.pieces).toEqual(
      [
        say("ab"),
        { type: "thinking", text: "t" },
        { type: "tool_call", id: "1", name: "n", text: '{"a":1}' },
        { type: "tool_call", id: "2", name: "n", text: "" },
      ].map((piece) =>
        piece.type === "tool_call" && piece.id === "2" ? { type: "tool_call", id: "2", name: "n" } : piece,
      ),
    )
  })

  test("with an interval of 0, those of one millisecond are written sixteen at a time, the rest when it is over", async () => {
    const log = slowLog()
    const writer = log.writer(0)
    const written = () => log.written.map(({ pieces }) => pieces.map(({ text }) => text).join(""))
    for (const letter of "abc") writer.push(say(letter))
    expect(written()).toEqual(["a"])
    await log.finish()
    for (const letter of "defghijklmnopq") writer.push(say(letter))
    expect(written()).toEqual(["a", "bcdefghijklmnopq"])
    for (const letter of "ABCDEFGHIJKLMNOPQ") writer.push(say(letter))
    await log.finish()
    expect(written()).toEqual(["a", "bcdefghijklmnopq", "ABCDEFGHIJKLMNOPQ"])
    writer.push(say("s"))
    await log.finish()
    expect(written()).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    expect(written()[3]).toBe("s")
    await log.finish()
    await vi.advanceTimersByTimeAsync(100)
    expect(written()).toHaveLength(4)
    writer.push(say("t"))
    expect(written()[4]).toBe("t")
  })

  test("property: what is written is what was pushed, in order, up to what was discarded at the end", async () => {
    await fc.assert(
      fc.asyncProperty(pauses, fc.constantFrom(0, 30), async (pieces, intervalMs) => {
        const log = slowLog()
        const writer = log.writer(intervalMs)
        for (const [text, pause] of pieces) {
          writer.push(say(text))
          await vi.advanceTimersByTimeAsync(pause)
          if (pause % 2) await log.finish()
          expect(log.pending.length).toBeLessThanOrEqual(1)
        }
        const said = pieces.map(([text]) => text).join("")
        const shown = log.written.flatMap((entry) => entry.pieces.map((piece) => piece.text)).join("")
        expect(said.startsWith(shown)).toBe(true)
        expect(log.written.every(({ pieces }) => pieces.length > 0)).toBe(true)
        // Left alone, everything is written in the end.
        for (let rest = pieces.length + 1; rest > 0; rest--) {
          await log.finish()
          await vi.advanceTimersByTimeAsync(30)
        }
        expect(log.written.flatMap((entry) => entry.pieces.map((piece) => piece.text)).join("")).toBe(said)
      }),
      { numRuns: 100 },
    )
  })
})

describe("the end", () => {
  test("waits for what is being written, discards the rest, and leaves no timer", async () => {
    const log = slowLog()
    const writer = log.writer(30)
    writer.push(say("a"))
    writer.push(say("b"))
    let settled = false
    const settling = writer.settle()?.then(() => {
      settled = true
    })
    await vi.advanceTimersByTimeAsync(0)
    expect(settled).toBe(false)
    await log.finish(7)
    await settling
    expect(writer.range).toEqual({ from: 7, to: 7 })
    expect(vi.getTimerCount()).toBe(0)
    expect(log.written).toHaveLength(1)
  })

  test("with an interval of 0, writes nothing more though many wait", async () => {
    const log = slowLog()
    const writer = log.writer(0)
    for (let n = 0; n < 20; n++) writer.push(say("x"))
    const settling = writer.settle()
    await log.finish()
    await settling
    expect(log.written).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test("knows the range of what was written, for it to be dropped", async () => {
    const log = slowLog()
    const writer = log.writer(0)
    expect(writer.range).toBeUndefined()
    for (const seq of [3, 5, 9]) {
      writer.push(say("x"))
      await log.finish(seq)
      await vi.advanceTimersByTimeAsync(1)
    }
    await writer.settle()
    expect(writer.range).toEqual({ from: 3, to: 9 })
  })
})

describe("a write that fails", () => {
  test("with an interval of 0 is the last one, though many wait", async () => {
    const log = slowLog()
    const writer = log.writer(0)
    for (let n = 0; n < 20; n++) writer.push(say("x"))
    await log.fail(new Error("full"))
    await vi.advanceTimersByTimeAsync(100)
    expect(log.written).toHaveLength(1)
  })

  test("is thrown by the next push and by settle, and nothing is written after it", async () => {
    const log = slowLog()
    const writer = log.writer(30)
    writer.push(say("a"))
    writer.push(say("b"))
    const full = new Error("full")
    await log.fail(full)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(log.written).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    expect(() => writer.push(say("c"))).toThrow(full)
    expect(() => writer.settle()).toThrow(full)
  })
})
