// Promises: `npm test` is everything there is to know about a checkout: it installs, builds, checks types,
// style, versions, dead code, packages as published, README examples and the size of core, then runs every
// test. The last line is `tests: N passed, N failed, N skipped`, where a failed check counts as a failed
// test, and the exit code is 0 only when nothing failed. `--full` also runs the long suites, and breaks every promise
// of packages/core/GUARANTEES.md to see its tests fail; other arguments go to vitest.

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { bootstrap, root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { chromium } from "./chromium.mjs"
import { Failure } from "./failure.mjs"
import { installOnce } from "./install.mjs"
import { postgres } from "./postgres.mjs"

const builds = ["build:js", "check:types", "@orra/herald#build", "@orra/plan-server#build"]
const checks = ["lint", "versions", "unused", "packages", "readmes", "size"].map((name) => `check:${name}`)

const full = process.argv.includes("--full")
const passedOn = process.argv.slice(2).filter((argument) => argument !== "--full")

const total = { passed: 0, failed: 0, skipped: 0 }
try {
  const { pnpm, env } = await bootstrap()
  await installOnce({ pnpm, env })
  const [browser, database] = await Promise.all([found(chromium), found(postgres), checkAll(pnpm, env)])
  const long = full ? { ORRA_TEST_FULL: "1" } : {}
  const programs = {
    ...(browser === undefined ? {} : { CHROMIUM_PATH: browser }),
    ...(database === undefined ? {} : { ORRA_POSTGRES_BIN: database }),
  }
  await vitest(pnpm, { ...env, ...long, ...programs })
  if (full && passedOn.length === 0) await mutate(env)
} catch (error) {
  countFailure(error)
}
console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed === 0 ? 0 : 1

async function found(find) {
  try {
    return await find()
  } catch (error) {
    countFailure(error)
  }
}

/** Turbo runs what is independent side by side, and skips a check whose inputs passed it before. */
async function checkAll(pnpm, env) {
  const options = ["--continue=dependencies-successful", "--output-logs=errors-only", "--log-order=grouped"]
  const args = ["exec", "turbo", "run", ...builds, ...checks, ...options, "--concurrency=2"]
  const { code } = await child(pnpm, args, { cwd: root, env })
  if (code !== 0) countFailure(new Failure("a build or a check failed; its messages are above"))
}

async function vitest(pnpm, env) {
  const folder = mkdtempSync(join(tmpdir(), "orra-tally-"))
  const tally = join(folder, "tally.json")
  try {
    const reporters = ["--reporter=default", "--reporter=./scripts/tally-reporter.ts"]
    const args = ["exec", "vitest", "run", ...reporters, ...passedOn]
    const { code } = await child(pnpm, args, { cwd: root, env: { ...env, ORRA_TALLY: tally } })
    const counts = JSON.parse(readFileSync(tally, "utf8"))
    for (const [name, count] of Object.entries(counts)) total[name] += count
    if (code !== 0 && counts.failed === 0) countFailure(new Failure("vitest ended with an error; see above"))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Not beside the tests: each of these has a limit of time as well. */
async function mutate(env) {
  const { code } = await child("node", ["--no-warnings", "scripts/mutate.ts"], { cwd: root, env })
  if (code !== 0) countFailure(new Failure("a broken promise was not found out; see the table above"))
}

function countFailure(error) {
  total.failed += 1
  console.error(error instanceof Failure ? `orra: ${error.message}` : error)
}
