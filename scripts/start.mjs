// Promises: `npm start -- <flags>` brings Node and pnpm, installs, builds and runs Herald; nothing else is
// needed on the machine. A second start does none of that: it reads two stamps and starts the server. Flags
// are passed through, relative paths in them are seen from where they were typed, and signals and the exit
// code are the server's own.

import { join } from "node:path"
import process from "node:process"
import { bootstrap, root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { Failure, fail } from "./failure.mjs"
import { installOnce } from "./install.mjs"
import { files, once } from "./stamp.mjs"

const entry = "apps/herald/dist/main.js"
const page = "apps/herald/dist/web/index.html"

try {
  const tools = await bootstrap()
  const sources = files(["packages", "apps/herald", "scripts/build.ts", "scripts/workspace.ts"])
  const manifests = sources.filter((path) => path.startsWith("packages") && path.endsWith("package.json"))
  await installOnce(tools)
  await once("build", [...sources, "pnpm-lock.yaml"], async () => {
    console.error("orra: building Herald")
    await build(tools)
    return [entry, page, ...manifests.map(builtEntry)]
  })
  const cwd = process.env.INIT_CWD ?? process.cwd()
  const { code } = await child(tools.node, [join(root, entry), ...process.argv.slice(2)], {
    cwd,
    env: tools.env,
  })
  process.exitCode = code
} catch (error) {
  fail(error)
}

async function build({ pnpm, env }) {
  const args = ["exec", "turbo", "run", "build:js", "@orra/herald#build", "--output-logs=errors-only"]
  const { code, output } = await child(pnpm, args, { capture: true, cwd: root, env })
  if (code === 0) return
  console.error(output)
  throw new Failure("the build failed; its messages are above")
}

function builtEntry(manifest) {
  return manifest.replace("package.json", "dist/index.js")
}
