// Promises: node_modules is exactly what pnpm-lock.yaml says, from the local store where it has the packages.
// While no manifest and no lockfile changed, nothing is run at all.

import { root } from "./bootstrap.mjs"
import { child } from "./child.mjs"
import { installFailure } from "./failure.mjs"
import { files, once } from "./stamp.mjs"

const folders = [
  "package.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "packages",
  "apps",
  "examples",
  "benchmarks",
]

export async function installOnce(tools) {
  const inputs = files(folders).filter((path) => /(^|[\\/])(package\.json|pnpm-[a-z]+\.yaml)$/.test(path))
  await once("install", inputs, async () => {
    console.error("orra: installing packages (the first time takes half a minute)")
    await install(tools)
    return ["node_modules/.modules.yaml"]
  })
}

async function install({ pnpm, env }) {
  const args = ["install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"]
  const patience = ["--config.fetch-retries=1", "--config.fetch-retry-mintimeout=1000"]
  const options = { capture: true, cwd: root, env: { ...env, CI: "1" }, shell: process.platform === "win32" }
  const { code, output } = await child(pnpm, [...args, ...patience], options)
  if (code !== 0) throw installFailure("the packages", output, root)
}
