import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { call, type FakeModelServer, fakeModelServer, lastText, type WireRequest } from "@orra/testing"
import { afterEach, beforeEach, expect, test } from "vitest"

const main = join(import.meta.dirname, "../main.ts")
const HOUR = 3_600_000

let model: FakeModelServer
let github: Server
let data: string
const asked: string[] = []

beforeEach(async () => {
  model = await fakeModelServer([], { apiKey: "test-key" })
  github = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`)
    const isWrite = request.method === "POST"
    response.writeHead(isWrite ? 201 : 200, { "content-type": "application/json" })
    response.end(
      JSON.stringify(
        isWrite
          ? { html_url: "https://github.example/c/1" }
          : [
              {
                number: 12,
                state: "open",
                title: "Gauge\u001b[2J",
                labels: [],
                user: { login: "ann" },
                comments: 0,
              },
            ],
      ),
    )
  }).listen(0, "127.0.0.1")
  await once(github, "listening")
  data = mkdtempSync(join(tmpdir(), "orra-issues-"))
})
afterEach(async () => {
  asked.length = 0
  github.closeAllConnections()
  github.close()
  await model.close()
  rmSync(data, { recursive: true })
})

/** Runs the program with these arguments and answers. */
async function run(args: readonly string[], answers = ""): Promise<{ code: unknown; output: string }> {
  const { port } = github.address() as AddressInfo
  const child = spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", main, ...args], {
    timeout: HOUR,
    env: {
      ...process.env,
      ANTHROPIC_API_KEY: "test-key",
      ANTHROPIC_BASE_URL: model.url,
      GITHUB_API_URL: `http://127.0.0.1:${port}`,
      GITHUB_TOKEN: "secret-token",
      ISSUES_DATA: data,
    },
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
      if (text.includes("(y/N)")) child.stdin.write(answers)
    })
  }
  const [code] = await once(child, "close")
  return { code, output }
}

const system = ({ body }: WireRequest): string => JSON.stringify(body["system"])

test("reads, asks before it writes, and knows the next time what was said", async () => {
  model.push(
    call("list_issues", {}),
    call("add_comment", { number: 12, body: "Thank you, @ann!" }),
    "I thanked ann on #12.\u001b[2J",
    call("add_comment", { number: 12, body: "Again!" }),
    "Then not.",
  )
  const first = await run(["acme/rockets", "Thank whoever reported the oldest one."], "yes\n")
  expect(first.output).toContain(
    'add_comment {\n  "number": 12,\n  "body": "Thank you, @ann!"\n}\nDo it? (y/N) ',
  )
  expect(first.output).toContain("I thanked ann on #12.�[2J\n")
  expect(first.code).toBe(0)
  expect(asked).toEqual(["GET /repos/acme/rockets/issues", "POST /repos/acme/rockets/issues/12/comments"])
  expect(system(await model.request(1))).toContain("acme/rockets")

  const second = await run(["acme/rockets", "Once", "more."], "no\n")
  expect(second.output).toContain("[add_comment was not done]\nThen not.")
  expect(asked).toHaveLength(2)
  expect(JSON.stringify((await model.request(4)).body)).toContain("Thank whoever reported")
  expect(lastText(await model.request(5))).toContain("The user said no.")
})

test("says what is missing or wrong", async () => {
  expect(await run([])).toEqual({
    code: 1,
    output: expect.stringContaining("Usage: pnpm start <owner/name>"),
  })
  expect(await run(["rockets", "What?"])).toEqual({
    code: 1,
    output: expect.stringContaining('write "owner/name"'),
  })
})
