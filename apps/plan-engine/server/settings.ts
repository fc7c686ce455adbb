import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { parseEnv } from "node:util"
import { OrraError } from "@orra/core"

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Settings {
  readonly host: string
  readonly port: number
  readonly model: ModelSettings
  /** What groundings are compared with requests by. Undefined: by their words. */
  readonly embeddings: EmbeddingSettings | undefined
  /** Whether plans are kept for requests that are the same but for their values. */
  readonly arePlansKept: boolean
  readonly store: StoreSettings
  /** How long orchestrations that have ended are kept, in ms. Undefined: for ever. */
  readonly keepMs: number | undefined
  /** What makes projects from anywhere. Without it only this machine may. */
  readonly adminKey: string | undefined
  readonly areInternalWebhooksAllowed: boolean
  readonly logLevel: LogLevel
  readonly hasErrorStacks: boolean
}

export interface ModelSettings {
  readonly type: "openai" | "claude"
  readonly name: string | undefined
  readonly apiKey: string
  readonly baseURL: string | undefined
}

export interface EmbeddingSettings {
  readonly model: string
  readonly apiKey: string
  readonly baseURL: string | undefined
}

export type StoreSettings =
  | { readonly type: "sqlite"; readonly path: string }
  /** With `hasDbos` plans outlive a process by DBOS in the same database, else by the store itself. */
  | { readonly type: "postgres"; readonly url: string; readonly hasDbos: boolean }

type Environment = Readonly<Record<string, string | undefined>>

/** What the environment may say, as `--help` shows it. An empty default means that there is none. */
export const VARIABLES = [
  ["PORT", "8005", "where it listens; 0 is any port that is free"],
  ["HOST", "127.0.0.1", "0.0.0.0 takes requests from other machines too"],
  ["LLM_MODEL", "", "any name the service knows; by default the provider's own"],
  ["LLM_API_KEY", "", "or OPENAI_API_KEY, or ANTHROPIC_API_KEY for Claude"],
  ["LLM_API_BASE_URL", "", "another service that speaks OpenAI's protocol: Ollama, vLLM, Groq and others"],
  ["LLM_PROVIDER", "", "openai or claude; by default claude for models called claude-*"],
  [
    "EMBEDDINGS_MODEL",
    "",
    "finds groundings by meaning, such as text-embedding-3-small; without it, by words",
  ],
  ["EMBEDDINGS_API_KEY", "", "or that of the model, when both are OpenAI's"],
  ["EMBEDDINGS_API_BASE_URL", "", "another service of embeddings that speaks OpenAI's protocol"],
  ["PLAN_CACHE", "true", "false: each request is planned, also one that is like another but for its values"],
  ["DATABASE_URL", "", "postgres://…, instead of a file of this machine"],
  ["DURABLE", "embedded", "embedded, or dbos: plans are carried out by DBOS, with DATABASE_URL"],
  ["STORAGE_PATH", "~/.orra/plan-engine", "the folder of the database file, plans.db"],
  ["KEEP_DAYS", "", "how long runs that have ended are kept; by default for ever"],
  ["ADMIN_KEY", "", "what registers projects from anywhere; without it, only this machine may"],
  ["WEBHOOKS_ALLOW_INTERNAL", "false", "true: webhooks may be told at loopback and private addresses"],
  ["LOG_LEVEL", "info", LOG_LEVELS.join(", ")],
  ["LOG_ERROR_STACK", "true", "false: errors are logged without where they came from"],
] as const

const DAY_MS = 24 * 60 * 60 * 1_000
const MOST_DAYS = 36_500

type Variable = (typeof VARIABLES)[number][0]

/**
 * The environment, with what it does not say taken from the file `.env` of `cwd`.
 *
 * @throws OrraError `settings_unreadable`.
 */
export function withEnvFile(env: Environment, cwd: string): Environment {
  const path = join(cwd, ".env")
  if (!existsSync(path)) return env
  try {
    return { ...parseEnv(readFileSync(path, "utf8")), ...env }
  } catch (error) {
    throw new OrraError(
      "settings_unreadable",
      `${path} cannot be read: make it readable, or move it away.`,
      { path },
      error,
    )
  }
}

/** @throws OrraError `settings_invalid` with everything that is wrong, each in a line of its own. */
export function readSettings(env: Environment, cwd: string): Settings {
  const problems: string[] = []
  const wrong = (problem: string): void => void problems.push(problem)
  const text = (name: Variable | "OPENAI_API_KEY" | "ANTHROPIC_API_KEY"): string | undefined =>
    env[name]?.trim() || undefined
  const oneOf = <T extends string>(name: Variable, known: readonly T[]): T | undefined => {
    const given = text(name)?.toLowerCase()
    const found = known.find((each) => each === given)
    if (given !== undefined && found === undefined)
      wrong(`${name} is "${given}": it must be one of ${known.join(", ")}.`)
    return found
  }
  const address = (name: Variable, protocols: readonly string[]): string | undefined => {
    const given = text(name)
    const protocol = given !== undefined && URL.canParse(given) ? new URL(given).protocol : ""
    if (given !== undefined && !protocols.includes(protocol))
      wrong(`${name} must be a whole address that begins with ${protocols.join("// or ")}//.`)
    return given
  }

  const port = Number(text("PORT") ?? "8005")
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    wrong(`PORT is "${text("PORT")}": it must be a whole number from 0 to 65535.`)
  const name = text("LLM_MODEL")
  const baseURL = address("LLM_API_BASE_URL", ["http:", "https:"])
  const model = { type: oneOf("LLM_PROVIDER", ["openai", "claude"]) ?? modelType(), name, baseURL }
  const service = model.type === "claude" ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY"
  // The key of one service is not shown to another.
  const apiKey = text("LLM_API_KEY") ?? (baseURL === undefined ? text(service) : "")
  if (apiKey === undefined)
    wrong(
      `No key for the model: set LLM_API_KEY or ${service}, or LLM_API_BASE_URL for a service without keys.`,
    )
  const embeddings = embeddingSettings()
  const url = address("DATABASE_URL", ["postgres:", "postgresql:"])
  const hasDbos = oneOf("DURABLE", ["embedded", "dbos"]) === "dbos"
  if (hasDbos && url === undefined) wrong("DURABLE is dbos, which needs a PostgreSQL: set DATABASE_URL.")
  const days = Number(text("KEEP_DAYS") ?? "1")
  if (!(days > 0 && days <= MOST_DAYS))
    wrong(`KEEP_DAYS is "${text("KEEP_DAYS")}": it must be a number above 0, at most ${MOST_DAYS}.`)
  const folder = resolve(
    cwd,
    text("STORAGE_PATH")?.replace(/^~(?=$|\/)/, home()) ?? join(home(), ".orra", "plan-engine"),
  )
  const settings: Settings = {
    host: text("HOST") ?? "127.0.0.1",
    port,
    model: { ...model, apiKey: apiKey ?? "" },
    embeddings,
    store:
      url === undefined
        ? { type: "sqlite", path: join(folder, "plans.db") }
        : { type: "postgres", url, hasDbos },
    keepMs: text("KEEP_DAYS") === undefined ? undefined : days * DAY_MS,
    adminKey: text("ADMIN_KEY"),
    arePlansKept: oneOf("PLAN_CACHE", ["true", "false"]) !== "false",
    areInternalWebhooksAllowed: oneOf("WEBHOOKS_ALLOW_INTERNAL", ["true", "false"]) === "true",
    logLevel: oneOf("LOG_LEVEL", LOG_LEVELS) ?? "info",
    hasErrorStacks: oneOf("LOG_ERROR_STACK", ["true", "false"]) !== "false",
  }
  if (problems.length > 0) throw new OrraError("settings_invalid", problems.join("\n"))
  return settings

  function modelType(): "openai" | "claude" {
    if (baseURL !== undefined) return "openai"
    if (name !== undefined) return /(^|\/)claude/i.test(name) ? "claude" : "openai"
    const isOnlyClaude = text("ANTHROPIC_API_KEY") && !text("OPENAI_API_KEY") && !text("LLM_API_KEY")
    return isOnlyClaude ? "claude" : "openai"
  }

  function embeddingSettings(): EmbeddingSettings | undefined {
    const where = address("EMBEDDINGS_API_BASE_URL", ["http:", "https:"])
    const own = text("EMBEDDINGS_API_KEY")
    const wanted = text("EMBEDDINGS_MODEL")
    if (wanted === undefined) {
      if (where !== undefined || own !== undefined)
        wrong("EMBEDDINGS_MODEL is missing: say which model of embeddings, such as text-embedding-3-small.")
      return undefined
    }
    const openai = model.type === "openai" && baseURL === undefined ? apiKey : text("OPENAI_API_KEY")
    const key = own ?? (where === undefined ? openai : "")
    if (key === undefined)
      wrong(
        "No key for embeddings: set EMBEDDINGS_API_KEY, or EMBEDDINGS_API_BASE_URL for a service without keys.",
      )
    return { model: wanted, apiKey: key ?? "", baseURL: where }
  }

  function home(): string {
    return env["HOME"] ?? homedir()
  }
}
