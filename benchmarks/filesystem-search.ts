// Searching 100,000 files with the `search` tool of @orra/filesystem, with ripgrep and without, beside ripgrep itself:
// `node --conditions=@orra/source benchmarks/filesystem-search.ts`. Writes its table into benchmarks/README.md.

import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Tool } from "@orra/core"
import { filesystemTools } from "@orra/filesystem"
import { useTool } from "@orra/testing"
import { replaceIn } from "./table.ts"

const FILES = Number(process.argv[2] ?? 100_000)
const ROUNDS = Number(process.argv[3] ?? 7)
const PER_FOLDER = 20

const run = promisify(execFile)
const root = mkdtempSync(join(tmpdir(), "orra-search-"))
try {
  makeFiles()
  const lines = await measured()
  console.log(lines.join("\n"))
  if (FILES === 100_000) replaceIn("filesystem-search", lines.join("\n"))
} finally {
  rmSync(root, { recursive: true })
}

/** Source text of ordinary sizes, 1 to 8 kB, in folders as deep as people have them. One in 5,000 has the needle. */
function makeFiles(): void {
  const words =
    "const value function return export import from await result index length error string number".split(" ")
  let seed = 1
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let n = 0; n < FILES; n++) {
    const folder = Math.floor(n / PER_FOLDER)
    const path = join(root, `p${folder % 17}`, `m${folder % 61}`, `d${folder}`)
    if (n % PER_FOLDER === 0) mkdirSync(path, { recursive: true })
    const text: string[] = []
    for (let line = 20 + random(140); line > 0; line--)
      text.push(Array.from({ length: 3 + random(8) }, () => words[random(words.length)]).join(" "))
    if (n % 5_000 === 4_321) text.splice(random(text.length), 0, `  const needleOf${n} = createNeedle("x")`)
    writeFileSync(join(path, `f${n}.${n % 10 === 0 ? "md" : "ts"}`), text.join("\n"))
  }
  writeFileSync(join(root, ".gitignore"), "*.log\n/build/\nnode_modules/\n*.tmp\n")
}

interface Query {
  readonly what: string
  readonly input: { readonly pattern?: string; readonly glob?: string; readonly ignore_case?: boolean }
  readonly rg: readonly string[]
}

async function measured(): Promise<readonly string[]> {
  const queries: readonly Query[] = [
    { what: "a rare word", input: { pattern: "createNeedle" }, rg: ["createNeedle"] },
    {
      what: "an expression",
      input: { pattern: "needle\\w+ = create[A-Z]\\w+\\(" },
      rg: ["needle\\w+ = create[A-Z]\\w+\\("],
    },
    {
      what: "whatever the case",
      input: { pattern: "CREATENEEDLE", ignore_case: true },
      rg: ["-i", "CREATENEEDLE"],
    },
    { what: "nothing to go by", input: { pattern: "[a-z]+Of[0-9]+ =" }, rg: ["[a-z]+Of[0-9]+ ="] },
    { what: "names", input: { glob: "f*21.ts" }, rg: ["--files", "--glob=f*21.ts"] },
    { what: "a word of most files", input: { pattern: "export" }, rg: ["export"] },
  ]
  const [withRipgrep, without] = [toolsWith("rg"), toolsWith(false)]
  const { stdout: version } = await run("rg", ["--version"])
  const table = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version.slice(1)}, ${version.split("\n")[0]}, ${FILES.toLocaleString("en")} files, load ${(loadavg()[0] ?? 0).toFixed(1)} at the start, median of ${ROUNDS} rounds, ms:`,
    "",
    "| | ripgrep | search | | search without ripgrep | |",
    "|---|---:|---:|---:|---:|---:|",
  ]
  for (const { what, input, rg } of queries) {
    const ways = [
      () =>
        run("rg", ["--line-number", "--hidden", "--no-require-git", ...rg, "./"], {
          cwd: root,
          maxBuffer: 1e9,
        }),
      () => call(withRipgrep, input),
      () => call(without, input),
    ]
    const times: number[][] = ways.map(() => [])
    // In turns, so that a machine that slows down slows all; the first round warms the disk's cache.
    for (let round = -1; round < ROUNDS; round++) {
      for (const [index, way] of ways.entries()) {
        const began = performance.now()
        await way()
        if (round >= 0) times[index]?.push(performance.now() - began)
      }
    }
    const [base = 0, ours = 0, fallback = 0] = times.map(median)
    const ratio = (value: number): string => `×${(value / base).toFixed(2)}`
    table.push(
      `| ${what} | ${base.toFixed(0)} | ${ours.toFixed(0)} | ${ratio(ours)} | ${fallback.toFixed(0)} | ${ratio(fallback)} |`,
    )
  }
  return table
}

const toolsWith = (ripgrep: string | false): readonly Tool[] =>
  filesystemTools({ root, ripgrep, searchTimeoutMs: 600_000 })

async function call(tools: readonly Tool[], input: Query["input"]): Promise<void> {
  const { content } = await useTool(tools, "search", { ...input, limit: 1_000 })
  const [first] = content
  if (first?.type !== "text" || !/^\[search \| [1-9]/.test(first.text))
    throw new Error(`Nothing was found: ${JSON.stringify(first)}`)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
