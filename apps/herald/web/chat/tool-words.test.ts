import { expect, test } from "vitest"
import { toolWords } from "./tool-words.ts"

const titleOf = (name: string, args: Readonly<Record<string, unknown>> = {}): string =>
  toolWords(name, args).title

test("each tool says what it is to do, also before its arguments are known", () => {
  expect(titleOf("exec", { command: "ls -l" })).toBe("Run ls -l")
  expect(titleOf("exec")).toBe("Run a command")
  expect(titleOf("read_url", { url: "https://example.org:8080/a" })).toBe("Read example.org:8080")
  expect(titleOf("read_url", { url: 7 })).toBe("Read a web page")
  expect(titleOf("web_search", { query: "tides" })).toBe("Search the web for “tides”")
  expect(titleOf("search", { glob: "*.ts" })).toBe("Search the files for “*.ts”")
  expect(titleOf("list_dir", { path: "." })).toBe("Look into the folder")
  expect(titleOf("merge_pull_request", { number: 7 })).toBe("Merge pull request #7")
  expect(titleOf("merge_pull_request")).toBe("Merge pull request")
  expect(titleOf("claude_code", { task: "\n  Mend the tests\nall of them" })).toBe(
    "Ask Claude Code: Mend the tests…",
  )
  expect(titleOf("plan", { action: "Order the lamp." })).toBe("Have services work together: Order the lamp.")
  expect(titleOf("exec", { command: "echo a\u202ecod.exe\u0007" })).toBe("Run echo acod.exe")
  expect(titleOf("write_file", { path: "x".repeat(500) })).toHaveLength(127)
})

test("a tool of an MCP server is named with its server, and any other by its name", () => {
  expect(toolWords("docs__search-pages_2", {})).toEqual({ icon: "plug", title: "Use search pages 2 of docs" })
  expect(toolWords("docs__a__b", {})).toMatchObject({ title: "Use a b of docs" })
  expect(toolWords("roll.dice", {})).toEqual({ icon: "tool", title: "Use roll dice" })
  for (const name of ["constructor", "__proto__", "toString", ""]) expect(titleOf(name)).toMatch(/^Use /)
})
