// Promises: every test named in packages/core/guarantees passes, and fails once its mutation is made. The mutations
// are made in copies of the sources; the working tree is only read. Usage: node scripts/mutate.ts [id ...]

import { spawn } from "node:child_process"
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { basename, join } from "node:path"
import process from "node:process"
import type { Guarantee, Proof } from "../packages/core/guarantees/guarantee.ts"
import { guarantees } from "../packages/core/guarantees/index.ts"
import { root } from "./workspace.ts"

/** A mutation can make a test wait for ever; this is not how it should fail, and is not waited for. */
const LIMIT_MS = 180_000
/** What waits for what a mutation has taken away gives up before that. */
const LIMITS = ["--testTimeout=40000", "--hookTimeout=60000"]

/** What the sources need to be tested, and nothing that is made from them. */
const COPIED = [
  "packages",
  "scripts",
  "package.json",
  "pnpm-workspace.yaml",
  "tsconfig.base.json",
  "vitest.config.ts",
]
const MADE: ReadonlySet<string> = new Set(["dist", ".turbo", ".cache", "coverage"])

interface Outcome {
  readonly id: string
  readonly proof: Proof
  readonly passesAsItIs: boolean
  readonly failsWhenChanged: boolean
  readonly seconds: number
}

const asked = new Set(process.argv.slice(2))
const chosen = guarantees.filter(({ id }) => asked.size === 0 || asked.has(id))
const unknown = [...asked].filter((id) => !chosen.some((guarantee) => guarantee.id === id))
if (unknown.length > 0) throw new Error(`There is no promise ${unknown.join(", ")}.`)

const began = performance.now()
const folder = mkdtempSync(join(tmpdir(), "orra-mutate-"))
try {
  const outcomes = await all(chosen)
  print(outcomes)
  const wrong = outcomes.filter(({ passesAsItIs, failsWhenChanged }) => !passesAsItIs || !failsWhenChanged)
  const minutes = ((performance.now() - began) / 60_000).toFixed(1)
  console.log(`${outcomes.length} mutations, ${wrong.length} not found out, in ${minutes} min`)
  if (wrong.length > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function all(list: readonly Guarantee[]): Promise<readonly Outcome[]> {
  const waiting = list.flatMap(({ id, proofs }) => proofs.map((proof) => ({ id, proof })))
  const workers = Math.min(availableParallelism(), waiting.length)
  const copies = Array.from({ length: workers }, (_, index) => copied(`copy-${index}`))
  const passing = await passedIn(
    copies[0] ?? root,
    waiting.map(({ proof }) => proof),
  )
  const outcomes: Outcome[] = []
  await Promise.all(
    copies.map(async (copy) => {
      for (let next = waiting.shift(); next; next = waiting.shift())
        outcomes.push(await tried(copy, next, passing))
    }),
  )
  const order = list.map(({ id }) => id)
  return outcomes.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
}

async function tried(
  copy: string,
  { id, proof }: { readonly id: string; readonly proof: Proof },
  passing: readonly Proof[],
): Promise<Outcome> {
  const path = join(copy, proof.mutation.file)
  const original = readFileSync(path, "utf8")
  const since = performance.now()
  // A function: in a text, "$&" would mean something.
  writeFileSync(
    path,
    original.replace(proof.mutation.text, () => proof.mutation.replacement),
  )
  try {
    const results = await run(copy, [proof])
    const failsWhenChanged = results.some((result) => result.status === "failed" && isOf(result, proof))
    const seconds = (performance.now() - since) / 1_000
    return { id, proof, passesAsItIs: passing.includes(proof), failsWhenChanged, seconds }
  } finally {
    writeFileSync(path, original)
  }
}

/** Those whose test passes with the code as it is. */
async function passedIn(copy: string, proofs: readonly Proof[]): Promise<readonly Proof[]> {
  const results = await run(copy, proofs)
  return proofs.filter((proof) => {
    const own = results.filter((result) => isOf(result, proof))
    return own.length > 0 && own.every(({ status }) => status === "passed")
  })
}

interface TestResult {
  readonly file: string
  readonly title: string
  readonly status: string
}

/** Parametrised names are known up to their first parameter. */
function fixedPart({ test }: Proof): string {
  return test.split(/%[sdijo#]|\$\{/)[0] ?? test
}

function isOf({ file, title }: TestResult, proof: Proof): boolean {
  return file.endsWith(proof.file) && title.startsWith(fixedPart(proof))
}

async function run(copy: string, proofs: readonly Proof[]): Promise<readonly TestResult[]> {
  const report = join(copy, "report.json")
  rmSync(report, { force: true })
  const files = [...new Set(proofs.map(({ file }) => file))]
  const names = [...new Set(proofs.map(fixedPart))].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  const args = ["run", ...files, "--project=unit", "--reporter=json", `--outputFile=${report}`]
  await ended(copy, [join(root, "node_modules/vitest/vitest.mjs"), ...args, ...LIMITS, "-t", names.join("|")])
  return readReport(report)
}

function ended(cwd: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: "ignore",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  })
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", () => resolve())
  })
}

function readReport(file: string): readonly TestResult[] {
  try {
    const { testResults } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly testResults: readonly {
        readonly name: string
        readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
      }[]
    }
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ title, status }) => ({ file: name.replaceAll("\\", "/"), title, status })),
    )
  } catch {
    // No report: nothing was tested, so nothing passed and nothing failed as it should.
    return []
  }
}

/** The sources, with the dependencies of the working tree: links between packages lead to the copy's own. */
function copied(name: string): string {
  const copy = join(folder, name)
  mkdirSync(join(copy, "node_modules"), { recursive: true })
  for (const entry of COPIED) {
    cpSync(join(root, entry), join(copy, entry), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !MADE.has(basename(source)),
    })
  }
  for (const entry of readdirSync(join(root, "node_modules"))) {
    if (entry.startsWith(".vi") || entry === ".cache") continue
    symlinkSync(join(root, "node_modules", entry), join(copy, "node_modules", entry), "junction")
  }
  return copy
}

function print(outcomes: readonly Outcome[]): void {
  console.log("| promise | test | changed | as it is | changed | s |")
  console.log("| --- | --- | --- | --- | --- | --- |")
  for (const { id, proof, passesAsItIs, failsWhenChanged, seconds } of outcomes) {
    const passes = passesAsItIs ? "passes" : "DOES NOT PASS"
    const fails = failsWhenChanged ? "fails" : "DOES NOT FAIL"
    const file = basename(proof.mutation.file)
    console.log(`| ${id} | ${proof.test} | ${file} | ${passes} | ${fails} | ${seconds.toFixed(1)} |`)
  }
}
