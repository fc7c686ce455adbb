import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, test } from "vitest"

// What npx would have installed: the library with its command, and an npm that says what it was asked.

const LIBRARY = fileURLToPath(new URL("../../../packages/plan-engine", import.meta.url))

let folder = ""
const write = async (path: string, text: string): Promise<string> => {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plan-engine-npx-"))
  await cp(join(LIBRARY, "bin"), join(folder, "node_modules/@orra/plan-engine/bin"), { recursive: true })
  await write("node_modules/@orra/plan-engine/package.json", '{ "version": "1.2.3", "type": "module" }')
  await chmod(await write("bin/npm", '#!/bin/sh\necho "npm $*"\nexit 7\n'), 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

async function command(...args: readonly string[]) {
  const bin = join(folder, "node_modules/@orra/plan-engine/bin/plan-engine.mjs")
  const env = { PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter) }
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ["ignore", "pipe", "ignore"] })
  let said = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text
  })
  const [code] = (await once(child, "close")) as [number | null]
  return { code, said }
}

test("npx @orra/plan-engine has npm bring the program in the same version, and ends as it does", async () => {
  expect(await command("--port", "1")).toEqual({
    code: 7,
    said: "npm exec --yes -- @orra/plan-server@1.2.3 --port 1\n",
  })
})

test("where the program is installed beside it, that one runs", async () => {
  await write("node_modules/@orra/plan-server/package.json", '{ "type": "module", "exports": "./main.js" }')
  await write("node_modules/@orra/plan-server/main.js", "console.log(process.argv.slice(2).join(' '))")
  expect(await command("--port", "1")).toEqual({ code: 0, said: "--port 1\n" })
})

test("a program that is broken says so, instead of being brought again", async () => {
  await write("node_modules/@orra/plan-server/package.json", '{ "type": "module", "exports": "./main.js" }')
  await write("node_modules/@orra/plan-server/main.js", 'import "nowhere-to-be-found"')
  expect(await command()).toEqual({ code: 1, said: "" })
})
