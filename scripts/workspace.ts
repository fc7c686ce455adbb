// Promises: every workspace package with its manifest, read from disk, in a stable order.

import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

export const root = join(import.meta.dirname, "..")

type Conditions = Readonly<Record<string, string>>

export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | Conditions>>
}

export interface Workspace {
  /** Relative to the repository, with forward slashes. */
  readonly folder: string
  readonly manifest: Manifest
}

const patterns = [
  "packages/*",
  "packages/{providers,stores,tools,channels}/*",
  "apps/*",
  "examples/*",
  "benchmarks",
]

export function workspaces(): readonly Workspace[] {
  return globSync(
    patterns.map((pattern) => `${pattern}/package.json`),
    { cwd: root },
  )
    .sort()
    .map((file) => ({
      folder: dirname(file).replaceAll("\\", "/"),
      manifest: JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest,
    }))
}

/** The files a package is built from: each export with a source, by the name of what it becomes in dist. */
export function entries({ manifest }: Workspace): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const target of Object.values(manifest.exports ?? {})) {
    if (typeof target === "string") continue
    const source = target["@orra/source"]
    const output = target["default"]
    if (source === undefined || output === undefined) continue
    found[output.replace(/^\.\/dist\//, "").replace(/\.js$/, "")] = source
  }
  return found
}
