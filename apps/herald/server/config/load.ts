import { readFileSync } from "node:fs"
import { basename, resolve } from "node:path"
import { errorMessage, Namespace, NamespaceError, OrraError, resolveAgents } from "@orra/core"
import { parse, TomlError } from "smol-toml"
import { PEERS } from "../federation/peers.ts"
import { checkFederation } from "./check-federation.ts"
import { checkJobs } from "./check-jobs.ts"
import { checkPolicy } from "./check-policy.ts"
import type { Environment } from "./expand.ts"
import { positions } from "./positions.ts"
import { type Notice, type Problem, type Reading, readTable } from "./read.ts"
import { withSaved } from "./saved-values.ts"
import { type Config, settings } from "./settings.ts"

/** The file used when no other is named, if it is there. */
export const DEFAULT_FILE = "assistant.toml"

/** What comes from the command line and goes before the file. */
export interface Overrides {
  readonly dataDir?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

export interface LoadedConfig {
  readonly config: Config
  /** Absolute; undefined when there is no file. */
  readonly file: string | undefined
  /** Absolute. */
  readonly dataDir: string
  readonly notices: readonly Notice[]
  /** Where each value that is not the default comes from, by its name: "line 4", "--port", "HERALD_DATA_DIR", `SAVED`. */
  readonly origins: ReadonlyMap<string, string>
  /** What it was made of. */
  readonly source: ConfigSource
}

/** Where a configuration comes from, and what stood there. */
export interface ConfigSource {
  readonly options: LoadOptions
  /** What was in the file; undefined when there was none. */
  readonly toml: string | undefined
}

export interface LoadOptions {
  /** As it was typed; relative to `cwd`. Default: `assistant.toml`, when there is one. */
  readonly file?: string | undefined
  readonly cwd: string
  readonly env: Environment
  readonly overrides?: Overrides
}

/** Values in the shape of the file: `{ discord: { filter: "all" } }`. No variable is filled in. */
export type Table = Readonly<Record<string, unknown>>

/** The origin of what was set in the web page. */
export const SAVED = "the web page"

/** Everything that is wrong with a configuration, one line each. */
export class ConfigError extends OrraError {
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    const lines = problems
      .toSorted((a, b) => a.line - b.line)
      .map(
        ({ line, column, message }) =>
          `${file}:${line}${column === undefined ? "" : `:${column}`}: ${message}`,
      )
    super("config_invalid", lines.join("\n"), { file })
    this.problems = problems
  }
}

/**
 * Reads the configuration: the named file, or `assistant.toml` when there is one. Nothing is written anywhere.
 *
 * @throws ConfigError with every problem of the file; OrraError (`config_missing`, `config_unreadable`) when a
 *   named file is not there or cannot be read.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  return configOf({ options, toml: readConfigFile(fileOf(options), options.file !== undefined) })
}

/**
 * Reads the file again. @throws what `loadConfig` does; OrraError (`config_missing`) when there was one and it is gone:
 * somebody is just replacing it, and all defaults are not what was meant.
 */
export function rereadSource({ options, toml }: ConfigSource): ConfigSource {
  return { options, toml: readConfigFile(fileOf(options), toml !== undefined) }
}

const fileOf = ({ cwd, file = DEFAULT_FILE }: LoadOptions): string => resolve(cwd, file)

/** The configuration of a source; where that says nothing, what the page saved holds. @throws ConfigError. */
export function configOf(source: ConfigSource, saved: Table = {}): LoadedConfig {
  const { options, toml } = source
  const { cwd, env, overrides = {} } = options
  const file = fileOf(options)
  const { config, notices, set, isSaved } = parseConfig(toml ?? "", options.file ?? DEFAULT_FILE, env, saved)
  const origins = new Map([...set].map(([key, line]) => [key, isSaved(key) ? SAVED : `line ${line}`]))
  const change = (key: string, origin: string) => origins.set(key, origin)

  const fromEnv = env["HERALD_DATA_DIR"] || undefined
  if (overrides.dataDir !== undefined) change("data_dir", "--data-dir")
  else if (fromEnv !== undefined) change("data_dir", "HERALD_DATA_DIR")
  if (overrides.host !== undefined) change("gateway.host", "--host")
  if (overrides.port !== undefined) change("gateway.port", "--port")

  const dataDir = resolve(cwd, overrides.dataDir ?? fromEnv ?? config.data_dir)
  return {
    config: {
      ...config,
      data_dir: dataDir,
      tools: {
        ...config.tools,
        exec_working_directory: absolute(cwd, config.tools.exec_working_directory),
        filesystem_base_dir: absolute(cwd, config.tools.filesystem_base_dir),
        claude_code_working_directory: absolute(cwd, config.tools.claude_code_working_directory),
        directories: config.tools.directories.map((path) => resolve(cwd, path)),
      },
      documents: {
        ...config.documents,
        folders: config.documents.folders.map((folder) => ({ ...folder, path: resolve(cwd, folder.path) })),
      },
      gateway: {
        ...config.gateway,
        host: overrides.host ?? config.gateway.host,
        port: overrides.port ?? config.gateway.port,
      },
    },
    file: toml === undefined ? undefined : file,
    dataDir,
    notices,
    origins,
    source,
  }
}

/** The configuration in a text. `file` is the name used in messages. @throws ConfigError */
export function parseConfig(
  toml: string,
  file: string,
  env: Environment,
  saved: Table = {},
): {
  readonly config: Config
  readonly notices: readonly Notice[]
  readonly set: ReadonlyMap<string, number>
  /** Whether a name of `set` comes from `saved`. */
  readonly isSaved: (name: string) => boolean
} {
  const { table, isSaved } = withSaved(parseToml(toml, file), saved)
  const reading: Reading = {
    env,
    line: positions(toml),
    problems: [],
    notices: [],
    set: new Map(),
    root: settings,
  }
  const config = readTable(settings, table, [], reading) as Config
  checkKeys(config, reading)
  checkContext(config, reading)
  checkBudget(config, reading)
  checkMcp(config, reading)
  checkDiscord(config, reading)
  checkJobs(config, reading)
  checkDocuments(config, reading)
  checkMedia(config, reading)
  checkPolicy(config, reading)
  checkAgents(config, reading)
  checkFederation(config, reading)
  checkPush(config, reading)
  if (reading.problems.length > 0) throw new ConfigError(file, reading.problems)
  return { config, notices: reading.notices.toSorted((a, b) => a.line - b.line), set: reading.set, isSaved }
}

function readConfigFile(file: string, isNamed: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === "ENOENT" && !isNamed) return undefined
    if (code === "ENOENT") {
      throw new OrraError("config_missing", `There is no file ${file}: check the path given with --config.`)
    }
    if (error instanceof TypeError) {
      throw new OrraError("config_unreadable", `${file} is not UTF-8 text: save it in that encoding.`)
    }
    throw new OrraError("config_unreadable", `${file} cannot be read: ${errorMessage(error)}`, {}, error)
  }
}

function parseToml(toml: string, file: string): Record<string, unknown> {
  try {
    return parse(toml, { unsafeKeyBehaviour: "throw" })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const { line, column } = error
    const source = toml.split("\n")[line - 1] ?? ""
    const bare = /=\s*(\$\{[^}]*\}?)/.exec(source)?.[1]
    const said = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "not TOML"
    const message = bare === undefined ? said : `${said}; write it in quotes: "${bare}"`
    throw new ConfigError(file, [{ line, column, message }])
  }
}

/** The namespace of the person who owns this Herald: the web page and `gateway.api_key`. */
export const OWNER = Namespace.of("web")

/** What is kept for Herald itself, and for everybody who may talk to it. */
export const HERALD = Namespace.of("herald")

/** The root namespaces of everybody who may talk to this Herald. */
export const principals = ({ gateway }: Config): readonly Namespace[] => [
  OWNER,
  ...gateway.keys.map(({ namespace }) => Namespace.parse(namespace)),
]

/** The root of all that is said in Discord. */
export const discordRoot = ({ discord }: Config): Namespace => Namespace.parse(discord.namespace_prefix)

/** What the owner is called. */
export const OWNER_NAME = "owner"

/** Two people must not share sessions, and two keys must not be the same. */
function checkKeys(config: Config, { problems, line }: Reading): void {
  const at = (index: number, key: string) => line(["gateway", "keys", index, key])
  const taken: { readonly who: string; readonly namespace: Namespace }[] = [
    { who: "the owner", namespace: OWNER },
    { who: "Herald itself", namespace: HERALD },
    ...(config.federation.enabled ? [{ who: "other Heralds", namespace: PEERS }] : []),
  ]
  const keys = new Map<string, string>()
  const names = new Set<string>([OWNER_NAME])
  if (config.gateway.api_key !== undefined) keys.set(config.gateway.api_key, "gateway.api_key")
  config.gateway.keys.forEach((entry, index) => {
    const where = `gateway.keys[${index}]`
    if (names.has(entry.name)) {
      const how = entry.name === OWNER_NAME ? "is yours" : "is used twice"
      problems.push({
        line: at(index, "name"),
        message: `${where}.name "${entry.name}" ${how}: give each person a name of their own`,
      })
    }
    names.add(entry.name)
    const same = entry.key === "" ? undefined : keys.get(entry.key)
    if (same !== undefined) {
      problems.push({
        line: at(index, "key"),
        message: `${where}.key is the same as ${same}: give each its own`,
      })
    }
    keys.set(entry.key, `${where}.key`)
    if (entry.namespace === "") return
    try {
      const namespace = Namespace.parse(entry.namespace)
      const other = taken.find(
        (each) => each.namespace.contains(namespace) || namespace.contains(each.namespace),
      )
      if (other) {
        problems.push({
          line: at(index, "namespace"),
          message: `${where}.namespace "${namespace}" overlaps "${other.namespace}" of ${other.who}: neither may be inside the other`,
        })
      }
      taken.push({ who: `"${entry.name}"`, namespace })
    } catch (error) {
      if (!(error instanceof NamespaceError)) throw error
      problems.push({ line: at(index, "namespace"), message: `${where}.namespace: ${error.message}` })
    }
  })
}

/** Each agent has a name that can be mentioned, and of its own. */
function checkAgents({ agent, agents }: Config, { notices, problems, set, line }: Reading): void {
  if (agents.length > 0 && [...set.keys()].some((name) => name.startsWith("agent."))) {
    notices.push({
      line: line(["agent"]),
      message: `[agent] is not used: "${agents[0]?.name}" of [[agents]] takes its place`,
    })
  }
  const isList = agents.length > 0
  const known: { readonly name: string }[] = []
  ;(isList ? agents : [agent]).forEach(({ name }, index) => {
    // Of one that is missing has been spoken.
    if (name === "") return
    try {
      resolveAgents([...known, { name }])
      known.push({ name })
    } catch (error) {
      const where = isList ? `agents[${index}]` : "agent"
      const at = line(isList ? ["agents", index, "name"] : ["agent", "name"])
      problems.push({ line: at, message: `${where}.name: ${errorMessage(error)}` })
    }
  })
}

function checkContext({ context }: Config, { problems, line }: Reading): void {
  if (context.reserved_for_output < context.max_tokens) return
  problems.push({
    line: line(["context", "reserved_for_output"]),
    message: `context.reserved_for_output (${context.reserved_for_output}) must be less than context.max_tokens (${context.max_tokens})`,
  })
}

function checkBudget({ budget, provider }: Config, { problems, line }: Reading): void {
  if (budget.at_limit !== "cheap" || provider.cheap_model !== undefined) return
  problems.push({
    line: line(["budget", "at_limit"]),
    message: 'budget.at_limit = "cheap" needs provider.cheap_model: name the cheaper model',
  })
}

const SERVER_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/

/** Each server has a name of its own, and is either a program or at an address. */
function checkMcp({ mcp }: Config, { problems, line }: Reading): void {
  const names = new Set<string>()
  mcp.servers.forEach((server, index) => {
    const where = `mcp.servers[${index}]`
    const wrong = (key: string | undefined, message: string) =>
      problems.push({
        line: line(["mcp", "servers", index, ...(key ? [key] : [])]),
        message: where + message,
      })
    const { name, command, url } = server
    if (name !== "" && !SERVER_NAME.test(name))
      wrong("name", `.name "${name}" must be letters, digits and "-", at most 32`)
    if (names.has(name)) wrong("name", `.name "${name}" is used twice: give each server a name of its own`)
    names.add(name)
    if (!command && url === undefined) wrong(undefined, " needs a command or a url: what is the server?")
    if (command && url !== undefined)
      wrong("url", " has a command and a url: a server is a program, or one on the network")
    if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
      wrong("url", ".url must be an address that begins with http:// or https://")
  })
}

/** A push service takes nothing from whom it could not write to. */
function checkPush({ push: { contact } }: Config, { problems, line }: Reading): void {
  if (contact === undefined || /^(?:mailto:[^@\s]+@|https:\/\/)[^@\s]+$/.test(contact)) return
  problems.push({
    line: line(["push", "contact"]),
    message: "push.contact must be an address such as mailto:you@example.org or https://example.org",
  })
}

const DISCORD_ID = /^\d{15,21}$/

/** People are known by their ids, and what they say is nobody else's. */
function checkDiscord(config: Config, { problems, line }: Reading): void {
  const { filter, allowed_users, approvers, approvals_channel, namespace_prefix } = config.discord
  const wrong = (key: string, message: string) =>
    problems.push({ line: line(["discord", key]), message: `discord.${key} ${message}` })
  for (const key of ["allowed_users", "approvers"] as const)
    for (const id of config.discord[key])
      if (!DISCORD_ID.test(id))
        wrong(
          key,
          `"${id}" is no id: a name may be somebody else's tomorrow. Developer Mode, Copy User ID gives it`,
        )
  if (approvals_channel !== "" && !DISCORD_ID.test(approvals_channel))
    wrong("approvals_channel", `"${approvals_channel}" is no id: Developer Mode, Copy Channel ID gives it`)
  else if (approvals_channel !== "" && approvers.length === 0)
    wrong("approvals_channel", "needs approvers: the ids of those who may press there")
  if (filter === "dm" && allowed_users.length === 0)
    wrong("filter", `"dm" needs allowed_users: the ids of those who may write to it`)
  try {
    const prefix = Namespace.parse(namespace_prefix)
    const isIn = (other: Namespace): boolean => other.contains(prefix) || prefix.contains(other)
    const taken = [OWNER.key, HERALD.key, ...config.gateway.keys.map(({ namespace }) => namespace)]
    const other = taken.find((key) => key !== "" && isIn(Namespace.parse(key)))
    if (other !== undefined)
      wrong(
        "namespace_prefix",
        `"${namespace_prefix}" overlaps "${other}", where somebody else's sessions are`,
      )
  } catch (error) {
    if (!(error instanceof NamespaceError)) throw error
    wrong("namespace_prefix", error.message)
  }
}

/** What is paid for at somebody's needs a key; a server of one's own may not. */
function checkMedia({ tools, image, voice }: Config, { problems, line }: Reading): void {
  const wrong = (section: string, key: string, message: string) =>
    problems.push({ line: line([section, key]), message: `${section}.${key} ${message}` })
  const isAddress = (url: string | undefined): boolean =>
    url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? "")
  if (tools.image_gen && tools.image_gen_api_key === undefined && image.api_url === undefined)
    wrong("tools", "image_gen", "needs image_gen_api_key, or image.api_url: who makes the pictures?")
  if (voice.enabled && voice.api_key === undefined && voice.api_url === undefined)
    wrong("voice", "enabled", "needs voice.api_key, or voice.api_url: who listens and speaks?")
  if (!isAddress(image.api_url))
    wrong("image", "api_url", "must be an address that begins with http:// or https://")
  if (!isAddress(voice.api_url))
    wrong("voice", "api_url", "must be an address that begins with http:// or https://")
}

/** Names of documents of different folders must differ. */
function checkDocuments({ documents: { folders, embeddings } }: Config, { problems, line }: Reading): void {
  const names = new Set<string>()
  folders.forEach(({ path, name }, index) => {
    const own = name ?? basename(path)
    const wrong = (message: string) =>
      problems.push({
        line: line(["documents", "folders", index, name === undefined ? "path" : "name"]),
        message: `documents.folders[${index}].name "${own}" ${message}`,
      })
    if (path !== "" && (own === "" || own.includes("/"))) wrong('must be a name without "/"')
    if (names.has(own)) wrong("is that of two folders: give each a name of its own")
    names.add(own)
  })
  if (embeddings.api_url !== undefined && !/^https?:$/.test(URL.parse(embeddings.api_url)?.protocol ?? ""))
    problems.push({
      line: line(["documents", "embeddings", "api_url"]),
      message: "documents.embeddings.api_url must be an address that begins with http:// or https://",
    })
}

/** Relative paths begin where Herald was started. */
const absolute = (cwd: string, path: string | undefined): string | undefined =>
  path === undefined ? undefined : resolve(cwd, path)
