// Promises: runs any command with our Node, our pnpm and the workspace's tools on PATH, so that `npm run
// build` and its siblings work whatever Node typed them. Usage: node scripts/run.mjs <command> [arguments]

import { delimiter, join } from "node:path"
import process from "node:process"
import { bootstrap, root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { Failure, fail } from "./failure.mjs"

try {
  const { env } = await bootstrap()
  const [command, ...args] = process.argv.slice(2)
  const tools = join(root, "node_modules", ".bin")
  const { code } = await child(command, args, {
    cwd: root,
    env: { ...env, PATH: tools + delimiter + env.PATH },
    shell: process.platform === "win32",
  }).catch(() => {
    throw new Failure(`${command} is not installed; run \`. ./scripts/env.sh && pnpm install\``)
  })
  process.exitCode = code
} catch (error) {
  fail(error)
}
