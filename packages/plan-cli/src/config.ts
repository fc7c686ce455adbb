import { randomUUID } from "node:crypto"
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { CliError } from "./errors.ts"

/** A project as the file has it. The names are those of the original's file; members it does not know are ours. */
export interface ProjectConfig {
  readonly id: string
  /** The key that the commands use. */
  readonly cli_auth: string
  /** The id of that key, where it is known. */
  readonly cli_auth_id?: string
  readonly server_addr: string
  /** Keys that were made here, by their names. */
  readonly api_key?: Readonly<Record<string, string>>
  /** The ids of those keys. */
  readonly api_key_ids?: Readonly<Record<string, string>>
  readonly webhooks?: readonly string[]
  readonly compensation_failure_webhooks?: readonly string[]
  /** What webhooks are signed with. */
  readonly webhook_secret?: string
}

export interface Config {
  readonly current_project: string
  readonly projects: Readonly<Record<string, ProjectConfig>>
}

/** Where it is when nothing else is said. */
export const defaultConfigPath = (env: NodeJS.ProcessEnv): string =>
  join(env["HOME"] ?? homedir(), ".orra", "config.json")

/** @throws CliError `config_broken` for a file that cannot be read. One that is not there has no project. */
export function readConfig(path: string): Config {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { current_project: "", projects: {} }
    throw new CliError("config_broken", `The file ${path} cannot be read: ${(error as Error).message}.`)
  }
  try {
    const { current_project = "", projects, ...others } = JSON.parse(text) as Partial<Config>
    return { ...others, current_project, projects: mapValues(projects ?? {}, asProject) }
  } catch {
    throw new CliError(
      "config_broken",
      `The file ${path} is no configuration of orra: it is not the JSON it was.`,
      `Correct it by hand, or begin anew with: orra config reset`,
    )
  }
}

/** The documents of the original say `api_keys`, its program writes `api_key`: a file with either is read. */
function asProject(given: ProjectConfig): ProjectConfig {
  const { api_keys, ...project } = given as ProjectConfig & { readonly api_keys?: ProjectConfig["api_key"] }
  if (typeof project.cli_auth !== "string" || typeof project.server_addr !== "string") throw new TypeError()
  return { ...project, ...(api_keys && { api_key: { ...api_keys, ...project.api_key } }) }
}

const mapValues = <T>(
  values: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))

/** Keys are in it: nobody else may read it, and whoever is stopped while it is written keeps the old one. */
export function writeConfig(path: string, config: Config): void {
  const target = whereItIs(path)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const unfinished = `${target}.${randomUUID()}`
  try {
    writeFileSync(unfinished, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600, flush: true })
    renameSync(unfinished, target)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw new CliError(
      "config_not_written",
      `The file ${path} cannot be written: ${(error as Error).message}.`,
    )
  }
}

/** Moves it out of the way. @returns where it is then; undefined when there was none. */
export function setAsideConfig(path: string): string | undefined {
  const aside = `${path}.bak`
  try {
    renameSync(path, aside)
    chmodSync(aside, 0o600)
    return aside
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw new CliError("config_not_written", `The file ${path} cannot be moved: ${(error as Error).message}.`)
  }
}

/** The file itself, where people keep a link to it. */
function whereItIs(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
