// Promises: node_modules is exactly what pnpm-lock.yaml says, from the local store where it has the packages.

import { root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { installFailure } from "./failure.mjs"

export async function install({ pnpm, env }) {
  const args = ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"]
  const patience = ["--config.fetch-retries=1", "--config.fetch-retry-mintimeout=1000"]
  const options = { capture: true, cwd: root, env: { ...env, CI: "1" }, shell: process.platform === "win32" }
  const { code, output } = await child(pnpm, [...args, ...patience], options)
  if (code !== 0) throw installFailure("the packages", output, root)
}
