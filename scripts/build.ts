// Promises: JavaScript in every package's dist, from all entries its manifest exports, in one process, with
// no file left from an earlier build. Imports of other packages stay imports. Declarations are `tsc -b`'s work.

import { existsSync, globSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { build } from "tsup"
import { entries, root, type Workspace, workspaces } from "./workspace.ts"

// A package that does not build, whose errors esbuild has shown by then, keeps none of the others from it.
const results = await Promise.allSettled(workspaces().map(buildWorkspace))
if (results.some(({ status }) => status === "rejected")) process.exitCode = 1

async function buildWorkspace(workspace: Workspace): Promise<void> {
  const sources = Object.entries(entries(workspace))
  if (sources.length === 0) return
  const folder = join(root, workspace.folder)
  const started = Date.now()
  await build({
    config: false,
    entry: Object.fromEntries(sources.map(([name, source]) => [name, join(folder, source)])),
    outDir: join(folder, "dist"),
    tsconfig: join(folder, "tsconfig.json"),
    format: "esm",
    target: "es2024",
    platform: workspace.folder === "packages/core" ? "neutral" : "node",
    sourcemap: true,
    skipNodeModulesBundle: true,
    dts: false,
    // "node:sqlite" exists under that name alone.
    removeNodeProtocol: false,
    clean: false,
    silent: true,
  })
  removeLeftovers(folder, started)
}

/** Chunks are named by their content, and sources get renamed: what nobody makes any more would be published. */
function removeLeftovers(folder: string, started: number): void {
  const dist = join(folder, "dist")
  for (const name of globSync("*.{js,js.map}", { cwd: dist })) {
    const file = join(dist, name)
    if (statSync(file).mtimeMs < started - 1000) rmSync(file, { force: true })
  }
  for (const name of globSync("**/*.d.ts", { cwd: dist, exclude: ["types/**", "web/**"] })) {
    if (!existsSync(join(folder, "src", name.replace(/\.d\.ts$/, ".ts"))))
      rmSync(join(dist, name), { force: true })
  }
}
