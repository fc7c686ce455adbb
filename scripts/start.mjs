// Promises: `npm start -- <flags>` brings Node and pnpm, installs, builds and runs Herald; nothing else is
// needed on the machine. A second start does none of that: it reads two stamps and starts the server. Flags
// are passed through, relative paths in them are seen from where they were typed, and signals and the exit
// code are the server's own.

import { join } from "node:path"
import process from "node:process"
import { bootstrap, root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { Failure, fail } from "./failure.mjs"
import { install } from "./install.mjs"
import { files, fingerprint, isCurrent, stamp } from "./stamp.mjs"

const entry = "apps/herald/dist/main.js"
const page = "apps/herald/dist/web/index.html"

try {
  const tools = await bootstrap()
  const sources = files(["packages", "apps/herald", "scripts/build.ts", "scripts/workspace.ts"])
  const manifests = sources.filter((path) => path.endsWith("package.json"))
  await once("install", [...manifests, "package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"], async () => {
    console.error("orra: installing packages")
    await install(tools)
    return ["node_modules/.modules.yaml"]
  })
  await once("build", [...sources, "pnpm-lock.yaml"], async () => {
    console.error("orra: building Herald")
    await build(tools)
    return [entry, page, ...manifests.filter(isLibrary).map(builtEntry)]
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

/** Does the work unless its stamp says that nothing changed since; the work returns what must exist after it. */
async function once(name, inputs, work) {
  const print = fingerprint(inputs)
  if (isCurrent(name, print)) return
  stamp(name, print, await work())
}

async function build({ pnpm, env }) {
  const args = ["exec", "turbo", "run", "build:js", "@orra/herald#build", "--output-logs=errors-only"]
  const { code, output } = await child(pnpm, args, { capture: true, cwd: root, env })
  if (code === 0) return
  console.error(output)
  throw new Failure("the build failed; its messages are above")
}

function isLibrary(manifest) {
  return manifest.startsWith("packages")
}

function builtEntry(manifest) {
  return manifest.replace("package.json", "dist/index.js")
}
