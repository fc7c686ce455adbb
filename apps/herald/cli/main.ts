#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { OrraError } from "@orra/core"
import { loadConfig } from "../server/config/load.ts"
import { parseFlags } from "./flags.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string
}
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const flags = parseFlags(args, version, {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
  })
  if ("exit" in flags) return flags.exit
  try {
    const { env } = process
    const cwd = env["INIT_CWD"] ?? process.cwd()
    const loaded = loadConfig({
      file: flags.config,
      cwd,
      env,
      overrides: flags,
    })
    if (flags.check) {
      const { check } = await import("./check.ts")
      process.stdout.write(await check(loaded, { env, version }))
      return 0
    }
    if (flags.task?.type === "config") {
      const { shownConfig } = await import("./config.ts")
      process.stdout.write(await shownConfig(loaded, flags.task, env))
      return 0
    }
    if (flags.task?.type === "doctor") {
      const { doctor } = await import("./doctor.ts")
      const write = (line: string) => void process.stdout.write(`${line}\n`)
      return await doctor(loaded, { env, isOffline: flags.task.isOffline, write })
    }
    if (flags.task?.type === "audit") {
      const { shownAudit } = await import("./audit.ts")
      const said = await shownAudit(loaded, flags.task)
      if (said) process.stdout.write(`${said}\n`)
      return 0
    }
    if (flags.task?.type === "backup" || flags.task?.type === "restore") {
      const { keepOrBringBack } = await import("./backup.ts")
      process.stdout.write(`${await keepOrBringBack(loaded, flags.task, { cwd, version })}\n`)
      return 0
    }
    if (flags.task?.type === "policy") {
      const { explainPolicy } = await import("./policy.ts")
      process.stdout.write(`${await explainPolicy(loaded, flags.task)}\n`)
      return 0
    }
    if (flags.task) {
      const { changeData } = await import("./data.ts")
      const said = await changeData(loaded, flags.task, cwd)
      if (said) process.stdout.write(`${said}\n`)
      return 0
    }
    const { runHerald } = await import("./run.ts")
    return await runHerald(loaded, { version, page: pageFolder() })
  } catch (error) {
    process.stderr.write(`${explained(error)}\n`)
    return 1
  }
}

/** The built web page: beside the built program, or where the build puts it when run from source. */
function pageFolder(): string | undefined {
  return ["./web", "../dist/web"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
}

/** A mistake we know has a message that says what to do; anything else is ours, and its stack helps us. */
function explained(error: unknown): string {
  // Problems of the file begin with its name and line, as editors and terminals know how to open.
  if (error instanceof OrraError)
    return error.code === "config_invalid" ? error.message : `herald: ${error.message}`
  return `herald: an unexpected error; please report it.\n${error instanceof Error ? error.stack : String(error)}`
}
