import { expect, test } from "vitest"
import { groupCalls } from "./call-groups.ts"
import type { AnswerMessage, AnswerPart, Call } from "./items.ts"
import { countWords } from "./tool-words.ts"

type Status = NonNullable<Call["result"]>["part"]["status"]

const THOUGHT = "(thought)"

/** What is shown of messages that are written as `tool`, `tool:status`, `tool:none` (no result yet) and "text.". */
function shown(...messages: readonly (readonly string[])[]): readonly unknown[] {
  const calls: Record<string, Call> = {}
  let count = 0
  const partOf = (text: string): AnswerPart => {
    if (text === THOUGHT) return { type: "thinking", text, isHidden: false }
    if (text.endsWith(".")) return { type: "text", text }
    const [name = "", status = "ok"] = text.split(":")
    const id = `c${++count}`
    if (status !== "none") {
      const part = { type: "tool_result", callId: id, name, content: [], status: status as Status } as const
      calls[id] = { result: { at: 1, part } }
    }
    return { type: "tool_call", id, name, arguments: {} }
  }
  const whole = messages.map(
    (texts, index): AnswerMessage => ({
      messageId: `m${index}`,
      at: 1,
      parts: texts.map(partOf),
      status: "complete",
    }),
  )
  const words = (part: AnswerPart): string => (part.type === "tool_call" ? part.name : part.text)
  return groupCalls({ messages: whole, calls }).map((found) =>
    found.type === "piece" ? words(found.part) : found.pieces.map(({ part }) => words(part)),
  )
}

test("four finished calls are a group, also over several messages; three are not, and text divides", () => {
  expect(shown(["exec", "exec", "exec", "exec"])).toEqual([["exec", "exec", "exec", "exec"]])
  expect(shown(["So.", "exec"], ["a"], ["b", "c"], ["Done."])).toEqual([
    "So.",
    ["exec", "a", "b", "c"],
    "Done.",
  ])
  expect(shown(["a", "b", "c"])).toEqual(["a", "b", "c"])
  expect(shown(["a", "b", "Then.", "c", "d"])).toEqual(["a", "b", "Then.", "c", "d"])
  expect(shown([])).toEqual([])
})

test("thoughts between calls are in the group, those around it are not", () => {
  expect(shown([THOUGHT, "a"], [THOUGHT, "b"], ["c"], ["d"], [THOUGHT, "End."])).toEqual([
    THOUGHT,
    ["a", THOUGHT, "b", "c", "d"],
    THOUGHT,
    "End.",
  ])
})

test.each(["none", "error", "denied", "cancelled", "unknown"])(
  "a call that is %s stays outside",
  (status) => {
    expect(shown(["a", "b", "c", "d"], [`e:${status}`], ["f", "g", "h"])).toEqual([
      ["a", "b", "c", "d"],
      "e",
      "f",
      "g",
      "h",
    ])
  },
)

test.each(["ask_user", "generate_image", "edit_image", "delegate_to_agent", "spawn_agent"])(
  "%s has more to show than that it is done",
  (name) => {
    expect(shown(["a", "b", name, "c", "d"])).toEqual(["a", "b", name, "c", "d"])
  },
)

test("a group says how many of what kind, in the words of the cards where there is no kind", () => {
  expect(countWords([...Array<string>(13).fill("exec"), "read_file", "web_fetch", "list_dir"])).toBe(
    "13 commands · 3 reads",
  )
  expect(countWords(["search", "exec", "write_file", "edit_file", "web_search", "recall"])).toBe(
    "3 searches · 1 command · 2 files written",
  )
  expect(countWords(["current_time", "docs__find", "current_time", "roll.dice"])).toBe(
    "Look up the time × 2 · Use find of docs · Use roll dice",
  )
})
