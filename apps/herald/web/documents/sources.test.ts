import { expect, test } from "vitest"
import type { Call } from "../chat/items.ts"
import { tracesOf } from "./sources.ts"

let at = 0
const call = (name: string, args: object, structured?: unknown, status: "ok" | "error" = "ok"): Call =>
  ({
    intent: { at: ++at, name, decision: "allow", reason: "", arguments: args },
    result: { at: ++at, part: { type: "tool_result", callId: "1", name, status, content: [], structured } },
  }) as unknown as Call
const traces = (...calls: readonly Call[]) => tracesOf({ calls: Object.fromEntries(calls.entries()) })

test("passages, documents that were read, and pages are the sources, each once and in the order they came", () => {
  const passage = (id: string, lines: unknown, more = {}) => ({ id, title: `The ${id}`, lines, ...more })
  const { sources } = traces(
    call("search_documents", { query: "valve" }, [
      passage("boiler.md", [64, 66], { heading: "Boiler > Valve" }),
      passage("lease.pdf", [3, 3], { page: 2 }),
    ]),
    call("search_documents", { query: "red valve" }, [
      passage("boiler.md", [64, 66]),
      passage("boiler.md", [1, 4]),
    ]),
    call("read_document", { id: "boiler.md", line: 60 }),
    call("read_document", { id: "notes" }),
    call("web_fetch", { url: "https://example.org/a" }),
    call("read_url", { url: "https://example.org/a" }),
    call("web_fetch", { url: "javascript:alert(1)" }),
    call("web_fetch", { url: "https://refused.example" }, undefined, "error"),
    call("exec", { command: "ls" }),
    call("search_documents", { query: "odd" }, { id: "no list" }),
  )
  expect(sources).toEqual([
    {
      type: "document",
      id: "boiler.md",
      title: "The boiler.md",
      places: [
        { id: "boiler.md", from: 64, to: 66, heading: "Boiler > Valve" },
        { id: "boiler.md", from: 1, to: 4 },
      ],
    },
    {
      type: "document",
      id: "lease.pdf",
      title: "The lease.pdf",
      places: [{ id: "lease.pdf", from: 3, to: 3, page: 2 }],
    },
    { type: "document", id: "notes", title: "notes", places: [{ id: "notes", from: 1, to: 0 }] },
    { type: "page", url: "https://example.org/a", host: "example.org" },
  ])
})

test("what was remembered, forgotten and looked at", () => {
  expect(
    traces(
      call("remember", { content: "Nuts." }, { id: "a", outcome: "added", change: 7 }),
      call("remember", { content: "Nuts." }, { id: "a", outcome: "known" }),
      call("forget", { id: "b" }, { id: "b", change: 8 }),
      call("recall", { query: "x" }, { ids: ["a", "b"] }),
      call("recall", { query: "y" }, { ids: ["b", "c"] }),
    ),
  ).toEqual({
    sources: [],
    changes: [
      { type: "remembered", change: 7, content: "Nuts." },
      { type: "forgotten", change: 8, content: "" },
    ],
    recalled: 3,
  })
})
