import { describe, expect, test } from "vitest"
import { readFrame, taskOutcome, undoOutcome } from "./service-frame.ts"

const result = (result: unknown, error: unknown = null) => {
  const payload = { type: "task_result", idempotencyKey: "k", executionId: "e_1", result, error }
  const { frame } = readFrame(JSON.stringify({ id: "m", payload })) ?? {}
  if (frame?.type !== "result") throw new Error("It is no result.")
  return frame
}

describe("a frame", () => {
  test("D1: is the same in its envelope and bare, and only the envelope has an id", () => {
    const payload = { type: "task_result", idempotencyKey: "k", executionId: "e_1", result: { task: 1 } }
    const enveloped = readFrame(JSON.stringify({ id: "m", payload }))
    const bare = readFrame(JSON.stringify(payload))
    expect(enveloped).toEqual({ id: "m", frame: expect.objectContaining({ type: "result", key: "k" }) })
    expect(bare).toEqual({ frame: enveloped?.frame })
  })

  test("of any type is read, and of none is none", () => {
    const read = (payload: object) => readFrame(JSON.stringify({ id: "m", payload }))?.frame
    const about = { idempotencyKey: "k", result: { task: { half: true } } }
    expect(read({ type: "pong", serviceId: "s" })).toEqual({ type: "pong" })
    expect(read({ type: "task_status", ...about })).toEqual({ type: "working", key: "k" })
    expect(read({ type: "task_interim_result", ...about })).toMatchObject({ data: { half: true } })
    expect(read({ type: "task_abort_result", ...about })).toMatchObject({ payload: { half: true } })
    expect(read({ type: "news", ...about })).toEqual({ type: "unknown" })
    expect(read({ type: "task_result" })).toEqual({ type: "unknown" })
    for (const text of ["", "{", "[]", "1", "{}", '{"payload":1}', '{"__proto__":{},"type":"pong"}'])
      expect(readFrame(text), text).toBeUndefined()
  })
})

describe("what came of a task", () => {
  test("is its output, with what undoes it where that can be", () => {
    const compensation = { data: { of: 1 }, ttl: 5 }
    expect(taskOutcome(result({ task: { a: 1 }, compensation }), true)).toEqual({
      type: "done",
      output: { a: 1 },
      undo: { data: { of: 1 }, ttlMs: 5 },
    })
    expect(taskOutcome(result({ task: { a: 1 }, compensation }), false)).not.toHaveProperty("undo")
    expect(taskOutcome(result({ compensation: null }), true)).toEqual({ type: "done", output: null })
  })

  test("is a failure for any error that is not empty", () => {
    expect(taskOutcome(result(null, "No."), true)).toEqual({ type: "failed", error: "No." })
    expect(taskOutcome(result({ task: 1 }, ""), true)).toMatchObject({ type: "done" })
  })

  test("D3: is an abort where an ordinary result says so", () => {
    const aborted = { type: "aborted", payload: { why: "sold out" } }
    expect(taskOutcome(result({ status: "aborted", task: { why: "sold out" } }), true)).toEqual(aborted)
  })
})

test("what came of undoing: W-C6, one that says that it failed has failed", () => {
  expect(undoOutcome(result({ status: "completed" }))).toEqual({ status: "completed" })
  expect(undoOutcome(result({ status: "failed" }))).toMatchObject({ status: "failed" })
  expect(undoOutcome(result(null, "No."))).toEqual({ status: "failed", error: "No." })
  const partial = { completed: [1], remaining: [2, 3] }
  expect(undoOutcome(result({ status: "partial", partial }))).toEqual({ status: "partial", ...partial })
})
