// Promises: every publishable package, as it would be published, is found right by publint and by Are The
// Types Wrong (as ESM only), carries its licence and README, and nothing that is only ours.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { type Manifest, root, type Workspace, workspaces } from "./workspace.ts"

/** The ways to resolve a module that `attw --profile esm-only` leaves out. */
const otherModules: ReadonlySet<string> = new Set(["node10", "node16-cjs"])

interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

const publishable = workspaces().filter(({ manifest }) => manifest.private !== true)
const folder = mkdtempSync(join(tmpdir(), "orra-packages-"))
try {
  const byName = new Map(pack(publishable).map((packed) => [packed.name, packed]))
  for (const workspace of publishable) {
    const packed = byName.get(workspace.manifest.name)
    const found = packed === undefined ? ["pnpm did not pack it"] : await problems(workspace, packed)
    for (const problem of found) console.error(`${workspace.manifest.name}: ${problem}`)
    if (found.length > 0) process.exitCode = 1
  }
  console.log(`${publishable.length} packages checked as they would be published`)
} finally {
  rmSync(folder, { recursive: true })
}

function pack(chosen: readonly Workspace[]): readonly Packed[] {
  const filters = chosen.flatMap(({ manifest }) => ["--filter", manifest.name])
  const args = ["--recursive", ...filters, "pack", "--pack-destination", folder, "--json"]
  const { status, stdout, stderr } = spawnSync("pnpm", args, { cwd: root, encoding: "utf8", maxBuffer: 1e8 })
  if (status !== 0) throw new Error(`pnpm pack failed: ${stderr}${stdout}`)
  const packed = JSON.parse(stdout) as Packed | readonly Packed[]
  return "filename" in packed ? [packed] : packed
}

async function problems(workspace: Workspace, packed: Packed): Promise<readonly string[]> {
  const tarball = new Uint8Array(readFileSync(packed.filename))
  return [
    ...content(packed.files.map(({ path }) => path)),
    ...(await lint(tarball)),
    ...(exportsTypes(workspace.manifest) ? await types(tarball) : []),
  ]
}

function content(paths: readonly string[]): readonly string[] {
  const missing = ["LICENSE", "README.md"].filter((path) => !paths.includes(path))
  const ours = paths.filter((path) => /\.(test|bench|child)\.|\.tsbuildinfo$|(^|\/)(src|e2e)\//.test(path))
  return [...missing.map((path) => `lacks ${path}`), ...ours.map((path) => `should not publish ${path}`)]
}

async function lint(tarball: Uint8Array<ArrayBuffer>): Promise<readonly string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer } })
  return messages
    .filter(({ type }) => type !== "suggestion")
    .map((message) => formatMessage(message, pkg, { color: false }) ?? message.code)
}

async function types(tarball: Uint8Array): Promise<readonly string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(tarball))
  if (analysis.types === false) return ["has no types"]
  return analysis.problems.filter(matters).map(({ kind, ...facts }) => `${kind} ${JSON.stringify(facts)}`)
}

function matters(problem: Problem): boolean {
  return !("resolutionKind" in problem && otherModules.has(problem.resolutionKind))
}

function exportsTypes({ exports = {} }: Manifest): boolean {
  return Object.values(exports).some((target) => typeof target === "object" && "types" in target)
}
