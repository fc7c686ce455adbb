import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import { call, type FakeModelServer, fakeModelServer, lastText, type WireRequest } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

const main = join(import.meta.dirname, "../main.ts")

let server: FakeModelServer
const started: ChildProcessWithoutNullStreams[] = []

beforeEach(async () => {
  server = await fakeModelServer([], { apiKey: "test-key" })
})
afterEach(async () => {
  for (const child of started.splice(0)) child.kill()
  await server.close()
})

const withClaude = () => ({ ANTHROPIC_API_KEY: "test-key", ANTHROPIC_BASE_URL: server.url })
const withOpenAI = () => ({ OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: server.openaiUrl })

/** The program as a person uses it. */
function terminal(args: readonly string[], keys: Readonly<Record<string, string>>) {
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, ...env } = process.env
  const child = spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", main, ...args], {
    env: { ...env, ...keys },
  })
  started.push(child)
  const ended = once(child, "close")
  let output = ""
  let read = 0
  const changed = new EventTarget()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
      changed.dispatchEvent(new Event("output"))
    })
  }
  /** What was written since the last time, up to and with this text. */
  async function until(text: string): Promise<string> {
    for (;;) {
      const end = output.indexOf(text, read)
      if (end >= 0) {
        const seen = output.slice(read, end + text.length)
        read = end + text.length
        return seen
      }
      await Promise.race([
        once(changed, "output"),
        ended.then(() => {
          if (!output.includes(text, read)) throw new Error(`It ended without saying "${text}":\n${output}`)
        }),
      ])
    }
  }
  return {
    until,
    /** Types a line, and gives what is answered before the next prompt. */
    async type(line: string, prompt: string): Promise<string> {
      child.stdin.write(`${line}\n`)
      return await until(prompt)
    },
    async end(): Promise<{ readonly code: number; readonly rest: string }> {
      const [code] = await ended
      return { code, rest: output.slice(read) }
    },
    child,
  }
}

const toolsOf = ({ body }: WireRequest): unknown =>
  (body["tools"] as readonly { name?: string; function?: { name: string } }[]).map(
    ({ name, function: inner }) => name ?? inner?.name,
  )

const READ = ["list_columns", "list_tasks"]
const ALL = ["assign_task", "create_task", ...READ, "move_task"]

describe("the board", () => {
  test("a viewer is refused, a member moves the task, and each has a conversation of their own", async () => {
    server.push(
      call("move_task", { task_title: "fix the login page", to: "done" }),
      "You may only look, Vera.",
      [call("list_tasks", { column: "in-progress" })],
      call("move_task", { task_title: "fix the login page", to: "done" }),
      "Moved it, Bob.",
      "Hello Carl.",
      "Still only looking, Vera.",
    )
    const board = terminal(["--user", "vera", "--role", "viewer"], withClaude())
    await board.until("vera (viewer)> ")

    const refused = await board.type("Move the login page to done", "vera (viewer)> ")
    expect(refused).toContain("[move_task")
    expect(refused).toContain("refused]")
    expect(refused).toContain("You may only look, Vera.")
    expect(toolsOf(await server.request(1))).toEqual(READ)
    expect(lastText(await server.request(2))).toContain('"move_task" is not allowed here')
    const before = await board.type("/board", "vera (viewer)> ")
    expect(before).toMatch(/in-progress\n {2}#2 Fix the login page \(bob\)\ndone/)

    await board.type("/switch bob member", "bob (member)> ")
    const moved = await board.type("It is ready, move it", "bob (member)> ")
    expect(moved).toContain("Moved it, Bob.")
    expect(moved).not.toContain("refused")
    expect(toolsOf(await server.request(3))).toEqual(ALL)
    expect(JSON.stringify((await server.request(3)).body)).not.toMatch(/Vera|login page to done/)
    const after = await board.type("/board", "bob (member)> ")
    expect(after).toMatch(/in-progress\n {2}nothing\ndone\n.*#1.*\n.*#2 Fix the login page \(bob\)/)

    await board.type("/switch carl", "carl (member)> ")
    expect(await board.type("Good morning", "carl (member)> ")).toContain("Hello Carl.")
    expect(JSON.stringify((await server.request(6)).body)).not.toContain("It is ready, move it")

    await board.type("/switch vera viewer", "vera (viewer)> ")
    expect(await board.type("And now?", "vera (viewer)> ")).toContain("Still only looking, Vera.")
    const last = JSON.stringify((await server.request(7)).body)
    expect(last).toContain("Move the login page to done")
    expect(last).not.toContain("It is ready, move it")
    expect(toolsOf(await server.request(7))).toEqual(READ)

    board.child.stdin.write("/quit\n")
    expect((await board.end()).code).toBe(0)
  })

  test("speaks to OpenAI with its key, creates and assigns, and tells the model what went wrong", async () => {
    server.push(
      [
        call("create_task", { title: "Order cake" }),
        call("move_task", { task_title: "Order pizza", to: "done" }),
      ],
      call("assign_task", { task_id: 4, assignee: "ann" }),
      "Done.",
    )
    const board = terminal([], withOpenAI())
    await board.until("ann (member)> ")
    await board.type("I order cake", "ann (member)> ")
    expect((await server.request(1)).service).toBe("openai")
    expect(JSON.stringify((await server.request(2)).body)).toContain('No task is called \\"Order pizza\\"')
    expect(await board.type("/board", "ann (member)> ")).toContain("  #4 Order cake (ann)")
    board.child.stdin.end()
    expect((await board.end()).code).toBe(0)
  })

  test("a wrong command or an error of the service is said, and the program goes on", async () => {
    server.push({ type: "fail", error: "invalid_request", message: "No such \u001b[31mmodel" }, "Hello!")
    const board = terminal([], withClaude())
    await board.until("ann (member)> ")
    expect(await board.type("/dance", "ann (member)> ")).toContain("/switch <user> [role]")
    expect(await board.type("/switch", "ann (member)> ")).toContain("Usage: /switch")
    expect(await board.type("/switch bob boss", "ann (member)> ")).toContain('There is no role "boss"')
    const failed = await board.type("Hi", "ann (member)> ")
    expect(failed).toMatch(/model/)
    expect(failed).not.toContain("\u001b[31m")
    expect(await board.type("Hi again", "ann (member)> ")).toContain("Hello!")
    board.child.stdin.write("/quit\n")
    expect((await board.end()).code).toBe(0)
  })

  test("does not start without a key, or for a role that there is none of", async () => {
    const noKey = await terminal([], {}).end()
    expect(noKey).toMatchObject({
      code: 1,
      rest: expect.stringContaining("Set ANTHROPIC_API_KEY or OPENAI_API_KEY"),
    })
    const noRole = await terminal(["--role", "boss"], withClaude()).end()
    expect(noRole).toMatchObject({ code: 1, rest: expect.stringContaining('There is no role "boss"') })
    expect(server.requests).toHaveLength(0)
  })
})
