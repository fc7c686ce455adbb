import { execFile } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { type FakeModelServer, fakeModelServer, type WireRequest } from "@orra/testing"
import { afterEach, beforeEach, expect, test } from "vitest"

const main = join(import.meta.dirname, "../main.ts")

let model: FakeModelServer
beforeEach(async () => {
  model = await fakeModelServer([], { apiKey: "test-key" })
})
afterEach(() => model.close())

/** The program as a person starts it. */
async function run(words: readonly string[], keys: Readonly<Record<string, string>>): Promise<string> {
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, ORRA_URL: ___, ...env } = process.env
  const args = ["--conditions=@orra/source", "--no-warnings", main, ...words]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env, ...keys } })
  return stdout
}

/** A plan of the one service that the engine tells of. */
function plan({ body }: WireRequest): string {
  const [service] = /s_[a-z]{28}/.exec(JSON.stringify(body)) ?? []
  const task1 = { id: "task1", service, input: { message: "$task0.message" } }
  return JSON.stringify({ tasks: [{ id: "task0", input: {} }, task1] })
}

test("says again what it is told, by a plan", async () => {
  model.push(plan)
  const keys = { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.openaiUrl }
  expect(await run(["Hello,", "\u001b[31mplan!"], keys)).toBe(
    [
      "plan: task1 by echo",
      'task1: {"progress":50,"message":"taking a breath"}',
      'completed: [{"echo":"Hello, \\u001b[31mplan!"}]',
      "",
    ].join("\n"),
  )
})

test("does not start without a key, and says so", async () => {
  await expect(run([], {})).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Set ANTHROPIC_API_KEY or OPENAI_API_KEY"),
  })
})
