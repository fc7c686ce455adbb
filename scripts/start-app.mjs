// Promises: brings Node and pnpm, installs, builds and runs one of the apps; nothing else is needed on the machine. A second
// start does none of that: it reads two stamps and starts the app. Flags are passed through, relative paths in them are seen
// from where they were typed, and signals and the exit code are the app's own.

import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { bootstrap, root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { Failure, fail } from "./failure.mjs"
import { installOnce } from "./install.mjs"
import { files, once } from "./stamp.mjs"

/** `name` is what a person calls it, `folder` where it is, `packageName` what builds its page; `more` is built with it. */
export async function startApp({ name, folder, packageName, stamp, more = [] }) {
  const entry = `${folder}/dist/main.js`
  try {
    const tools = await bootstrap()
    const sources = files(["packages", folder, ...more, "scripts/build.ts", "scripts/workspace.ts"])
    const manifests = sources.filter((path) => path.startsWith("packages") && path.endsWith("package.json"))
    await installOnce(tools)
    await once(stamp, [...sources, "pnpm-lock.yaml"], async () => {
      console.error(`orra: building ${name}`)
      await build(tools, packageName)
      return [entry, `${folder}/dist/web/index.html`, ...manifests.flatMap(builtEntries)]
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
}

async function build({ pnpm, env }, packageName) {
  const args = ["exec", "turbo", "run", "build:js", `${packageName}#build`, "--output-logs=errors-only"]
  const { code, output } = await child(pnpm, args, { capture: true, cwd: root, env })
  if (code === 0) return
  console.error(output)
  throw new Failure("the build failed; its messages are above")
}

/** What a package's own sources become, as its manifest says. */
function builtEntries(manifest) {
  const { exports = {} } = JSON.parse(readFileSync(join(root, manifest), "utf8"))
  const built = Object.values(exports).filter((target) => target["@orra/source"] !== undefined)
  return built.map((target) => join(dirname(manifest), target.default))
}
