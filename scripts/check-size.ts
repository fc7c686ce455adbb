// Promises: what an application pays for `Runtime` and `tool` in a browser stays within the limit, and
// nothing that @orra/core exports needs a Node built-in.

import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { entries, root, workspaces } from "./workspace.ts"

/** Bytes, minified and gzipped. */
const limit = 25_000

const core = workspaces().find(({ manifest }) => manifest.name === "@orra/core")
if (core === undefined) throw new Error("there is no @orra/core")

// For the browser esbuild resolves no Node built-in, so that an import of one fails the build.
for (const name of Object.keys(entries(core))) await bundled(`export * from "./dist/${name}.js"`)

const code = await bundled('export { Runtime, tool } from "./dist/index.js"')
const size = gzipSync(code, { level: 9 }).length
console.log(`Runtime and tool: ${size} bytes minified and gzipped, of at most ${limit}`)
if (size > limit) process.exitCode = 1

async function bundled(source: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: join(root, "packages/core") },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}
