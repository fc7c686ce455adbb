import type { Entry } from "@orra/core"
import { expect, test } from "vitest"
import { groupCalls } from "../chat/call-groups.ts"
import { addEntry, type Item } from "../chat/items.ts"
import { latestSteps } from "./steps.ts"

const LIST = { steps: [{ text: "Begin", status: "running" }] }

/** The transcript after runs, each of calls that are written as `id name status`; `none` has no result yet. */
function chat(...runs: readonly (readonly string[])[]): readonly Item[] {
  let seq = 0
  let items: readonly Item[] = []
  const add = (entry: object): void => {
    items = addEntry(items, { seq: ++seq, at: seq, ...entry } as Entry)
  }
  for (const [index, calls] of runs.entries()) {
    const runId = `r${index}`
    add({ type: "run_started", runId })
    for (const call of calls) {
      const [callId = "", name = "", status] = call.split(" ")
      const args = name === "todo" ? LIST : {}
      const part = { type: "tool_call", id: callId, name, arguments: args }
      const message = { role: "assistant", parts: [part] }
      add({ type: "assistant", runId, messageId: `m${callId}`, message, status: "complete" })
      const decision = status === "denied" ? "deny" : "allow"
      add({ type: "tool_intent", runId, callId, name, arguments: args, decision, reason: "" })
      if (status === "none") continue
      add({ type: "tool_result", runId, result: { callId, name, content: [], status }, callId })
    }
  }
  return items
}

/** The calls that are shown in each answer. */
const shown = (items: readonly Item[]): readonly (readonly string[])[] => {
  const steps = latestSteps(items)
  return items.map((item) =>
    item.type === "answer"
      ? groupCalls(item, steps).flatMap((found) =>
          found.type === "group"
            ? found.calls.map(({ id }) => id)
            : found.part.type === "tool_call"
              ? [found.part.id]
              : [],
        )
      : [],
  )
}

test("of all lists of a chat the newest is shown, where it was written", () => {
  expect(shown(chat(["1 todo ok", "2 exec ok", "3 todo ok", "4 exec ok"]))).toEqual([["2", "3", "4"]])
  expect(shown(chat(["1 todo ok", "2 exec ok"], ["3 todo none"]))).toEqual([["2"], ["3"]])
  expect(shown(chat(["1 todo ok"], ["2 exec ok"]))).toEqual([["1"], ["2"]])
})

test("a list that failed or was refused is a call like any other, and the one before it still holds", () => {
  for (const status of ["error", "denied", "cancelled"])
    expect(shown(chat(["1 todo ok", `2 todo ${status}`])), status).toEqual([["1", "2"]])
})

test("lists between calls do not divide them", () => {
  const items = chat(["1 a ok", "2 todo ok", "3 b ok", "4 c ok", "5 d ok", "6 todo ok"])
  const [answer] = items
  if (answer?.type !== "answer") throw new Error("There is no answer.")
  expect(groupCalls(answer, latestSteps(items)).map(({ type }) => type)).toEqual(["group", "piece"])
})
