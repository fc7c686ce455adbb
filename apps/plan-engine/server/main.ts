#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { OrraError } from "@orra/core"
import { readSettings, VARIABLES, withEnvFile } from "./settings.ts"

/** A second signal does not wait. 128 + SIGINT, as shells count. */
const EXIT_AT_ONCE = 130

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = parseFlags(args)
    if (flags.help) {
      process.stdout.write(help())
      return 0
    }
    if (flags.version) {
      process.stdout.write(`${version()}\n`)
      return 0
    }
    const cwd = process.env["INIT_CWD"] ?? process.cwd()
    return await run(readSettings({ ...withEnvFile(process.env, cwd), ...flags.env }, cwd))
  } catch (error) {
    process.stderr.write(`${explained(error)}\n`)
    return 1
  }
}

async function run(settings: ReturnType<typeof readSettings>): Promise<number> {
  // A terminal that went away, or a closed pipe, is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)
  const signalled = new Promise<void>((resolve) => {
    let count = 0
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        if (++count > 1) process.exit(EXIT_AT_ONCE)
        resolve()
      })
  })
  const { startEngine } = await import("./run.ts")
  const engine = await startEngine(settings, { page: pageFolder(), output: process.stderr })
  process.stdout.write(`Plan engine at ${engine.url}\n`)
  await signalled
  await engine.close()
  return 0
}

function parseFlags(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
        port: { type: "string" },
        host: { type: "string" },
        "log-level": { type: "string" },
      },
    })
    const { help, version, port, host } = values
    const level = values["log-level"]
    const env = {
      ...(port !== undefined && { PORT: port }),
      ...(host !== undefined && { HOST: host }),
      ...(level !== undefined && { LOG_LEVEL: level }),
    }
    return { help, version, env }
  } catch (error) {
    const [reason = ""] = (error as Error).message.split(". ", 1)
    throw new OrraError("flag_unknown", `${reason}. --help shows what there is.`)
  }
}

function help(): string {
  const width = Math.max(...VARIABLES.map(([name]) => name.length)) + 2
  const lines = VARIABLES.map(
    ([name, standard, what]) => `  ${name.padEnd(width)}${what}${standard && ` (${standard})`}`,
  )
  return `Plans across agents and services: made by a model, proved, and carried out.

Usage: plan-engine [--port <number>] [--host <address>] [--log-level <level>]

  -h, --help     this
  --version      which one this is

Environment, also from a file .env where it is started:

${lines.join("\n")}

The page and the API are at the same address. SIGTERM and Ctrl-C stop it; what has not ended goes on at
the next start.
`
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8")
  return (JSON.parse(manifest) as { version: string }).version
}

/** The built page: beside the built program, or where the build puts it when run from source. */
function pageFolder(): string | undefined {
  return ["./web", "../dist/web"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path) && existsSync(`${path}/index.html`))
}

/** A mistake we know has a message that says what to do; anything else is ours, and its stack helps us. */
function explained(error: unknown): string {
  if (error instanceof OrraError) return error.message.replace(/^/gm, "plan-engine: ")
  return `plan-engine: an unexpected error; please report it.\n${error instanceof Error ? error.stack : String(error)}`
}
