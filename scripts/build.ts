// Promises: JavaScript in every package's dist, from all entries its manifest exports, in one process.
// Imports of other packages stay imports. Declarations are `tsc -b`'s work.
// Arguments name packages or folders to build; none means all.

import { join } from "node:path"
import { build } from "tsup"
import { entries, root, workspaces } from "./workspace.ts"

const wanted = new Set(process.argv.slice(2))

const chosen = workspaces().filter(
  ({ folder, manifest }) => wanted.size === 0 || wanted.has(folder) || wanted.has(manifest.name),
)

await Promise.all(
  chosen.map(async (workspace) => {
    const entry = Object.entries(entries(workspace))
    if (entry.length === 0) return
    const folder = join(root, workspace.folder)
    await build({
      config: false,
      name: workspace.manifest.name,
      entry: Object.fromEntries(entry.map(([name, source]) => [name, join(folder, source)])),
      outDir: join(folder, "dist"),
      format: "esm",
      target: "es2024",
      platform: "neutral",
      dts: false,
      sourcemap: true,
      clean: false,
      silent: true,
      skipNodeModulesBundle: true,
      tsconfig: join(folder, "tsconfig.json"),
    })
  }),
)
