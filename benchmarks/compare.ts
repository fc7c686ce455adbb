// Our place among the frameworks: `npm run bench`. Builds and packs our packages, installs them as users do, outside of
// this repository, and measures them beside raw fetch and other frameworks with ../shared/bench; where that is not there
// it measures ours alone. What comes out goes into benchmarks/README.md.
//
//   npm run bench -- [--adapters raw-fetch,vercel-ai,orra] [--tasks turns,sessions,idle] [--only fake] [--rounds 1] [--quick] [--dry]
//
// BENCH_HOME is the folder of the comparison, BENCH_WORK the one for installs and results (default: the user's cache).

import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { homedir, loadavg, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { packInto } from "./pack.ts"
import { type Results, type Summary, writeReadme } from "./table.ts"

const { values: options } = parseArgs({
  options: {
    adapters: {
      type: "string",
      default: "raw-fetch,openai-sdk,vercel-ai,openai-agents,mastra,langgraph,orra",
    },
    tasks: { type: "string", default: "turns,sessions,idle" },
    /** Parts by how their names begin; these are the ones in the tables. */
    only: { type: "string", default: "single c=1,tools c=1,kept tools c=1,stream c=1,fake,idle" },
    rounds: { type: "string", default: "1" },
    quick: { type: "boolean", default: false },
    /** Prints the table, writes nothing. */
    dry: { type: "boolean", default: false },
  },
})
const root = join(import.meta.dirname, "..")
const home = resolve(process.env["BENCH_HOME"] ?? join(root, "..", "shared", "bench"))
const work = resolve(
  process.env["BENCH_WORK"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "orra-bench"),
)

const packages = mkdtempSync(join(tmpdir(), "orra-packages-"))
try {
  packInto(packages)
  if (existsSync(join(home, "src", "run.mjs"))) compare(packages)
  else await alone()
} finally {
  rmSync(packages, { recursive: true, force: true })
}

function compare(packages: string): void {
  mkdirSync(work, { recursive: true })
  const env = {
    ...process.env,
    ORRA_PACKAGES: packages,
    BENCH_WORK: work,
    BENCH_ADAPTERS: join(root, "benchmarks", "adapters"),
  }
  const run = (script: string, ...args: readonly string[]): void => {
    execFileSync(process.execPath, [join(home, "src", script), ...args], { env, stdio: "inherit" })
  }
  const { adapters, tasks, only, rounds, quick } = options
  const before = loadavg()[0] ?? 0
  run("install.mjs", "--adapters", "orra", "--fresh")
  run("install.mjs", "--adapters", adapters)
  const load = [
    "--rounds",
    rounds,
    "--tasks",
    tasks,
    "--only",
    only,
    ...(quick ? ["--quick"] : ["--quiet-ms", "4000"]),
  ]
  run("run.mjs", "--fresh", "--adapters", adapters, ...load)
  run("report.mjs", "--lanes", "default")
  const read = (name: string): unknown => JSON.parse(readFileSync(join(work, "results", name), "utf8"))
  const { default: summary } = read("summary.json") as { readonly default: Summary }
  writeReadme(read("default.json") as Results, summary, before, options.dry)
}

async function alone(): Promise<void> {
  console.log(
    "The other frameworks are not here: this measures ours alone, with a model in the same process.",
  )
  console.log(
    "For the comparison set BENCH_HOME to a folder with its files, or put them at ../shared/bench.\n",
  )
  // Only now: it imports what has just been built.
  const { measureAlone } = await import("./alone.ts")
  await measureAlone()
}
