import { expect, test } from "vitest"
import type { AnswerItem, AnswerPart, Call } from "../chat/items.ts"
import { artifactReader, findVersion } from "./artifacts.ts"

const LINES = Array.from({ length: 12 }, (_, line) => `line(${line})`).join("\n")
const fence = (info: string, code: string): string => `Here:\n\n\`\`\`${info}\n${code}\n\`\`\`\n`

interface WroteFile {
  readonly tool: string
  readonly args: Record<string, string | boolean>
  readonly status?: "ok" | "error" | "none"
}

/** Answers of one message each, which is made of texts and calls. `growing` is the last text of the last one. */
function answersOf(
  parts: readonly (readonly (string | WroteFile)[])[],
  isGrowing = false,
): readonly AnswerItem[] {
  return parts.map((written, at) => {
    const calls: Record<string, Call> = {}
    const isOpen = isGrowing && at === parts.length - 1
    const made = written.map((part, index): AnswerPart => {
      if (typeof part === "string") return { type: "text", text: part }
      const { tool: name, args, status = "ok" } = part
      const id = `c${at}-${index}`
      if (status !== "none")
        calls[id] = {
          result: { at: 1, part: { type: "tool_result", callId: id, name, content: [], status } },
        }
      return { type: "tool_call", id, name, arguments: args }
    })
    const seq = 10 * (at + 1)
    const status = isOpen ? "writing" : "complete"
    return {
      type: "answer",
      key: `a${seq}`,
      version: seq,
      runId: `r${at}`,
      seq,
      at: 1,
      messages: [{ messageId: `m${at}`, at: 1, parts: made, status }],
      calls,
    }
  })
}

/** Names with the places of their versions. */
const named = (...answers: readonly (readonly (string | WroteFile)[])[]): readonly unknown[] =>
  artifactReader()(answersOf(answers)).map(({ name, versions }) => [
    name,
    ...versions.map(({ seq, block }) => `${seq}.${block}`),
  ])

test("what has the same file name is the same thing, wherever the name stands", () => {
  expect(
    named(
      [fence('ts title="src/app.ts"', LINES)],
      [fence("ts src/app.ts", LINES), fence("ts:./src/app.ts", LINES)],
      [fence("typescript", `// src/app.ts\n${LINES}`)],
      [{ tool: "write_file", args: { path: "src/app.ts", content: "short" } }],
      [fence("ts title=src/other.ts", LINES)],
    ),
  ).toEqual([
    ["src/app.ts", "10.1", "20.1", "20.2", "30.1", "40.1"],
    ["src/other.ts", "50.1"],
  ])
})

test("a document goes by its title and its language; what has none is a version of nothing", () => {
  expect(
    named(
      [fence("html", "<title>Clock</title><p>1</p>"), fence("html", "<h1>The <b>clock</b></h1>")],
      [fence("htm", "<TITLE>\n Clock </TITLE><p>2</p>"), fence("markdown", "# Clock")],
      [fence("md", "text\n\n# Clock #\n\nmore"), fence("mermaid", "pie title Clock\n")],
      [fence("svg", "<svg><title>Clock</title></svg>"), fence("html", "<p>none</p>")],
      [fence("html", "<p>none</p>"), fence("python", LINES), fence("python", LINES)],
    ),
  ).toEqual([
    ["Clock", "10.1", "20.1"],
    ["The clock", "10.2"],
    ["Clock", "20.2", "30.1"],
    ["Clock", "30.2"],
    ["Clock", "40.1"],
    [undefined, "40.2"],
    [undefined, "50.1"],
    [undefined, "50.2"],
    [undefined, "50.3"],
  ])
})

test("a short piece of code is none, and has its place all the same; a comment names files only", () => {
  expect(
    named([
      fence("sh app.sh", "ls"),
      `- in a list:\n\n  \`\`\`py\n  # numpy.array\n${LINES.replaceAll(/^/gm, "  ")}\n  \`\`\`\n`,
    ]),
  ).toEqual([[undefined, "10.2"]])
})

test("a change of a file is a version as long as it is known what the file was", () => {
  const edit = (from: string, to: string, more = {}): WroteFile => ({
    tool: "edit_file",
    args: { path: "a.md", old_string: from, new_string: to, ...more },
  })
  const write = (content: string): WroteFile => ({ tool: "write_file", args: { path: "./a.md", content } })
  const [artifact, ...others] = artifactReader()(
    answersOf([
      [edit("one", "never")],
      [write("one two one"), edit("two", "$& 2")],
      [
        { ...edit("one", "failed"), status: "error" },
        { ...write("waits"), status: "none" },
      ],
      [edit("one", "1", { replace_all: true }), edit("gone", "lost"), edit("$& 2", "too late")],
      [write("new"), edit("new", "newer")],
    ]),
  )
  expect(others).toEqual([])
  expect(artifact?.versions.map(({ seq, block, code }) => [`${seq}.${block}`, code])).toEqual([
    ["20.1", "one two one"],
    ["20.2", "one $& 2 one"],
    ["40.1", "1 $& 2 1"],
    ["50.1", "new"],
    ["50.2", "newer"],
  ])
})

test("while it is written it has no title until the line is whole, and is finished with its fence", () => {
  const read = artifactReader()
  const whole = fence("md", "# A plan\n\n1. Begin")
  const seen: unknown[] = []
  for (let length = 1; length <= whole.length; length++) {
    const [found] = read(answersOf([[whole.slice(0, length)]], true))
    const { name, versions } = found ?? {}
    const state = versions?.map(({ code, isGrowing }) => `${name} ${isGrowing} ${code.length > 8}`)[0]
    if (state !== undefined && state !== seen.at(-1)) seen.push(state)
  }
  expect(seen).toEqual(["undefined true false", "A plan true true", "A plan false true"])
})

test("a version is found by its place", () => {
  const artifacts = artifactReader()(
    answersOf([[fence("html", "<title>A</title>")], [fence("html", "<title>A</title>")]]),
  )
  expect(findVersion(artifacts, 20, 1)).toEqual({ artifact: artifacts[0], index: 1 })
  expect(findVersion(artifacts, 20, 2)).toBeUndefined()
})
