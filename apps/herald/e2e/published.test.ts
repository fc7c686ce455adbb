import { execFile } from "node:child_process"
import {
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { isBuiltin } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { fakeModelServer, say } from "@orra/testing"
import { beforeAll, expect, onTestFinished, test } from "vitest"
import { heraldProcess } from "../cli/herald-process.ts"

const run = promisify(execFile)
const root = fileURLToPath(new URL("../../../", import.meta.url))
const herald = join(root, "apps", "herald")
const manifest = JSON.parse(readFileSync(join(herald, "package.json"), "utf8")) as {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}
const declared = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })

beforeAll(async () => {
  if (!existsSync(join(herald, "dist", "main.js"))) await run("pnpm", ["run", "build:js"], { cwd: root })
})

test("R24: what is published starts anywhere, with what it declares and nothing else", async () => {
  const folder = elsewhere()
  cpSync(join(herald, "dist"), join(folder, "dist"), { recursive: true })
  cpSync(join(herald, "package.json"), join(folder, "package.json"))
  for (const name of declared) {
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true })
    symlinkSync(join(herald, "node_modules", name), join(folder, "node_modules", name), "junction")
  }
  expect(strangers(folder)).toEqual([])
  await answers(folder)
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "R24: a directory packed for a service has all that Herald needs, and no way back",
  async () => {
    const folder = join(elsewhere(), "herald")
    const deploy = ["--filter", "@orra/herald", "deploy", "--prod", "--legacy", "--offline", folder]
    await run("pnpm", deploy, { cwd: root })
    for (const name of globSync("**", { cwd: folder })) {
      const path = join(folder, name)
      if (lstatSync(path).isSymbolicLink()) expect(realpathSync(path)).toContain(`${folder}${sep}`)
    }
    expect(strangers(folder)).toEqual([])
    await answers(folder)
  },
)

function elsewhere(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herald-published-")))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What the built program imports and does not declare, and its files that name the place where they were built. */
function strangers(folder: string): readonly string[] {
  const files = globSync("*.js", { cwd: join(folder, "dist") })
  expect(files).toContain("main.js")
  return files.flatMap((name) => {
    const code = readFileSync(join(folder, "dist", name), "utf8")
    const imports = [...code.matchAll(/(?:^import[^"\n]*|\bfrom |\bimport\()"([^"\n]+)"/gm)]
    const unknown = imports
      .map(([, specifier = ""]) => specifier)
      .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
      .filter((specifier) => !declared.some((one) => specifier === one || specifier.startsWith(`${one}/`)))
    return code.includes(root) ? [...unknown, name] : unknown
  })
}

/** Started by Node alone, somewhere else, it answers, serves its page, and ends. */
async function answers(folder: string): Promise<void> {
  const cwd = elsewhere()
  const apiKey = "sk-ant-test-key-1234"
  const model = await fakeModelServer([say("Here I am.")], { apiKey })
  onTestFinished(() => model.close())
  writeFileSync(join(cwd, "assistant.toml"), "[gateway]\napi_key = 'owner-key-0123456789'\n")
  const started = await heraldProcess({
    cwd,
    args: ["--port", "0"],
    main: join(folder, "dist", "main.js"),
    env: { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_BASE_URL: model.url },
  })
  onTestFinished(() => void started.child.kill("SIGKILL"))
  const page = await fetch(started.url, { headers: { accept: "text/html" } })
  expect(await page.text()).toContain("<title>")
  const answer = await fetch(`${started.url}/api/chat`, {
    method: "POST",
    headers: { authorization: "Bearer owner-key-0123456789", "content-type": "application/json" },
    body: JSON.stringify({ message: "Where are you?" }),
  })
  expect(await answer.json()).toMatchObject({ message: "Here I am." })
  expect(await started.stop()).toBe(0)
}
