import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { engineProcess } from "../e2e/support/engine-process.ts"

let cwd = ""
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "plan-engine-main-"))
})
afterEach(() => rm(cwd, { recursive: true }))

test("it listens, says where, ends at SIGTERM, and what it kept is there in the next one", async () => {
  await writeFile(join(cwd, ".env"), "LLM_API_KEY=never-asked\nPORT=0\nSTORAGE_PATH=data\n")
  const first = await engineProcess({ cwd })
  const register = await fetch(`${first.url}/register/project`, { method: "POST", body: '{"name":"shop"}' })
  const { apiKey } = (await register.json()) as { apiKey: string }
  first.child.kill("SIGTERM")
  expect(await first.ended).toBe(0)
  const said = first
    .stderr()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(said.map(({ msg }) => msg)).toEqual([
    "listening",
    "stopping; what has not ended goes on at the next start",
    "stopped",
  ])
  expect(said[0]).toMatchObject({ level: "info", url: first.url, store: join(cwd, "data", "plans.db") })
  expect(first.stderr()).not.toContain("never-asked")

  const second = await engineProcess({ cwd, args: ["--log-level", "warn"] })
  const answer = await fetch(`${second.url}/services`, { headers: { authorization: `Bearer ${apiKey}` } })
  expect([answer.status, await answer.json()]).toEqual([200, []])
  second.child.kill("SIGINT")
  expect([await second.ended, second.stderr()]).toEqual([0, ""])
})

test("what keeps it from starting is said in a line that says what to do", async () => {
  const taken = createServer().listen(0, "127.0.0.1")
  await once(taken, "listening")
  const { port } = taken.address() as AddressInfo
  const said = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const { ended, stderr, stdout } = await engineProcess({ cwd, env, args })
    return { code: await ended, text: stderr() + stdout() }
  }
  const file = join(cwd, "file")
  await writeFile(file, "in the way")
  const found = await Promise.all([
    said({}),
    said({ LLM_API_KEY: "k", PORT: String(port) }),
    said({ LLM_API_KEY: "k", STORAGE_PATH: file }),
    said({ LLM_API_KEY: "k" }, "--prot", "1"),
    said({}, "--help"),
  ])
  taken.close()
  const [noKey, inUse, noFolder, noFlag, help] = found.map(({ text }) => text)
  expect(found.map(({ code }) => code)).toEqual([1, 1, 1, 1, 0])
  expect(noKey).toMatch(/^plan-engine: No key for the model: set LLM_API_KEY/)
  expect(inUse).toBe(
    `plan-engine: Port ${port} is in use: stop the other program, or set PORT to another one.\n`,
  )
  expect(noFolder).toMatch(
    /^plan-engine: STORAGE_PATH .*file cannot be made: choose a folder you may write to\.\n$/,
  )
  expect(noFlag).toBe("plan-engine: Unknown option '--prot'. --help shows what there is.\n")
  expect(help).toContain("LLM_API_BASE_URL")
})

test("its documentation has every variable, and no other", async () => {
  const { VARIABLES } = await import("./settings.ts")
  const guide = await readFile(
    new URL("../../../docs/plan-engine/getting-started.md", import.meta.url),
    "utf8",
  )
  const documented = [...guide.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name)
  expect(documented).toEqual(VARIABLES.map(([name]) => name))
})
