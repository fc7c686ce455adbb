import { execFile, spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"

// A repository of a few files with the real scripts and a pnpm that writes down what it was asked.

const server = `
process.on("SIGTERM", () => process.exit(7))
console.log(JSON.stringify({ app: "APP", cwd: process.cwd(), flags: process.argv.slice(2) }))
if (process.argv.includes("--wait")) setInterval(() => {}, 1000)
process.exitCode = 3
`

const pnpm = `#!/usr/bin/env node
const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require("node:fs")
const command = process.argv.includes("turbo") ? "build" : "install"
appendFileSync("calls", command + "\\n")
if (existsSync("fail-" + command)) { console.log("ERR_PNPM_META_FETCH_FAIL"); process.exit(1) }
for (const file of ["node_modules/.modules.yaml", "apps/herald/dist/web/index.html", "apps/plan-engine/dist/web/index.html", "packages/core/dist/index.js", "packages/cli/dist/main.js"]) {
  mkdirSync(require("node:path").dirname(file), { recursive: true })
  writeFileSync(file, "")
}
for (const app of ["herald", "plan-engine"])
  writeFileSync("apps/" + app + "/dist/main.js", ${JSON.stringify(server)}.replace("APP", app))
`

const entry = (name: string) => ({ "@orra/source": `./src/${name}.ts`, default: `./dist/${name}.js` })

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orra-start-"))
  cpSync(import.meta.dirname, join(root, "scripts"), { recursive: true })
  const files = {
    "package.json": JSON.stringify({ type: "commonjs", packageManager: "pnpm@0.0.0" }),
    "pnpm-lock.yaml": "",
    "pnpm-workspace.yaml": "",
    "packages/core/package.json": JSON.stringify({ exports: { ".": entry("index") } }),
    // Its one entry is called otherwise.
    "packages/cli/package.json": JSON.stringify({ exports: { ".": entry("main") } }),
    "packages/core/src/index.ts": "",
    "packages/core/src/index.test.ts": "",
    "apps/herald/package.json": "{}",
  }
  for (const [path, content] of Object.entries(files)) write(path, content)
  write(".bootstrap/pnpm-0.0.0/node_modules/.bin/pnpm", pnpm, 0o755)
})
afterEach(() => rmSync(root, { recursive: true }))

describe("the first start", () => {
  test("installs, builds and runs the server with its flags, where they were typed, and its exit code", async () => {
    const { code, stdout } = await start(["--port", "9000"], { INIT_CWD: join(root, "apps") })
    expect(JSON.parse(stdout)).toEqual({ app: "herald", cwd: join(root, "apps"), flags: ["--port", "9000"] })
    expect(code).toBe(3)
    expect(calls()).toEqual(["install", "build"])
  })

  test("of the plan engine does the same", async () => {
    const { code, stdout } = await start(["--version"], {}, "plan-engine")
    expect(JSON.parse(stdout)).toMatchObject({ app: "plan-engine", flags: ["--version"] })
    expect([code, calls()]).toEqual([3, ["install", "build"]])
    await start([], {}, "plan-engine")
    expect(calls()).toEqual(["install", "build"])
  })

  test("that fails says why in one line, leaves no stamp, and is done again", async () => {
    write("fail-install", "")
    const { code, stderr } = await start()
    expect(code).toBe(1)
    expect(stderr.trim().split("\n").at(-1)).toMatch(/^orra: cannot reach the npm registry .* run again$/)
    rmSync(join(root, "fail-install"))
    write("fail-build", "")
    expect((await start()).code).toBe(1)
    expect(existsSync(join(root, ".bootstrap/stamps/build.json"))).toBe(false)
    rmSync(join(root, "fail-build"))
    expect((await start()).code).toBe(3)
    expect(calls()).toEqual(["install", "install", "build", "build"])
  })
})

describe("a second start", () => {
  beforeEach(async () => {
    await start()
    rmSync(join(root, "calls"))
  })

  test("asks for nothing", async () => {
    expect((await start()).code).toBe(3)
    expect(calls()).toEqual([])
  })

  test.each([
    ["a source", "packages/core/src/index.ts", ["build"]],
    ["a new source", "apps/herald/server/new.ts", ["build"]],
    ["a manifest", "apps/herald/package.json", ["install", "build"]],
    ["the lockfile", "pnpm-lock.yaml", ["install", "build"]],
    ["a test", "packages/core/src/index.test.ts", []],
  ])("after %s changed does what that needs", async (_what, path, expected) => {
    write(path, "// changed")
    await start()
    expect(calls()).toEqual(expected)
  })

  test("builds again what was removed", async () => {
    rmSync(join(root, "packages/core/dist"), { recursive: true })
    await start()
    expect(calls()).toEqual(["build"])
  })
})

test("a signal reaches the server, and its answer comes back", async () => {
  const child = spawn(process.execPath, ["scripts/start.mjs", "--wait"], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  })
  const ended = new Promise((resolve) => child.once("exit", resolve))
  await new Promise((resolve) => child.stdout.once("data", resolve))
  child.kill("SIGTERM")
  expect(await ended).toBe(7)
})

function start(flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}, script = "start") {
  const args = [join(root, `scripts/${script}.mjs`), ...flags]
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { cwd: root, env: { ...process.env, INIT_CWD: undefined, ...env } }
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

function calls(): readonly string[] {
  const file = join(root, "calls")
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []
}

function write(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content, { mode })
}
