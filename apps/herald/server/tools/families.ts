import type { Budgets, Namespace, SessionStore } from "@orra/core"
import { type LoadedConfig, principals } from "../config/load.ts"
import type { Library } from "../documents/library.ts"
import { heraldQuestions } from "./ask-user.ts"
import type { CronHost } from "./cron.ts"
import { currentTime } from "./current-time.ts"
import { todo } from "./todo.ts"
import type { ToolFamily } from "./tools.ts"

export interface FamilyParts {
  /** Where somebody is. */
  readonly zoneOf: (session: Namespace) => string
  readonly store: SessionStore
  readonly library: Library
  /** What is paid for is charged to them. */
  readonly budgets?: Budgets | undefined
  readonly schedules: CronHost
  /** Where Discord is; default its own address. */
  readonly discordApi?: string | undefined
}

type Loaded = Pick<LoadedConfig, "config" | "dataDir" | "file">

interface FamilyEntry {
  /** By which it is switched off in a chat. Undefined: it is always there. */
  readonly id?: string
  /** What it is made of: it is made anew when that is another. Undefined: it is off. */
  readonly made: (config: Loaded["config"]) => unknown
  readonly build: (loaded: Loaded, parts: FamilyParts) => ToolFamily | Promise<ToolFamily>
}

/** Those keys of `[tools]` that begin so. */
const toolKeys = ({ tools }: Loaded["config"], ...prefixes: readonly string[]): unknown =>
  Object.entries(tools).filter(([key]) => prefixes.some((prefix) => key.startsWith(prefix)))

/** Those that work in folders, of which each can be a chat's. */
const folderKeys = (config: Loaded["config"]): unknown =>
  toolKeys(config, "filesystem", "exec", "claude_code", "directories")

/** All families. What a family needs of another package is loaded when it is on. */
export const families: readonly FamilyEntry[] = [
  { made: () => true, build: (_, { zoneOf }) => ({ tools: [currentTime({ zoneOf }), todo] }) },
  {
    made: () => true,
    build: ({ config }) =>
      heraldQuestions((session) => principals(config).some((person) => person.contains(session))),
  },
  {
    id: "memory",
    made: ({ memory }) => (memory.enabled ? memory : undefined),
    build: async ({ config }, { store }) => (await import("./memory.ts")).heraldMemory(config, store),
  },
  {
    id: "documents",
    made: ({ tools }) => tools.documents || undefined,
    build: async (_, { library }) => (await import("./documents.ts")).heraldDocuments(library),
  },
  {
    id: "schedules",
    // Whether jobs are done is decided at the start.
    made: ({ cron }) => (cron.enabled ? true : undefined),
    build: async (_, { schedules }) => (await import("./cron.ts")).heraldCron(schedules),
  },
  {
    id: "web",
    made: (config) => {
      const { web_fetch, browser, web_search } = config.tools
      return web_fetch || browser || web_search ? toolKeys(config, "web_", "browser") : undefined
    },
    build: async ({ config }) => (await import("./web.ts")).heraldWeb(config),
  },
  {
    id: "images",
    made: (config) => (config.tools.image_gen ? [toolKeys(config, "image_"), config.image] : undefined),
    build: async ({ config }, { store, budgets }) =>
      (await import("./image.ts")).heraldImages(config, store, budgets),
  },
  {
    id: "files",
    made: (config) => (config.tools.filesystem ? folderKeys(config) : undefined),
    build: async (loaded) => (await import("./filesystem.ts")).heraldFiles(loaded),
  },
  {
    id: "exec",
    made: (config) => (config.tools.exec ? folderKeys(config) : undefined),
    build: async (loaded) => (await import("./exec.ts")).heraldExec(loaded),
  },
  {
    id: "claude_code",
    made: (config) => (config.tools.claude_code ? folderKeys(config) : undefined),
    build: async (loaded, { store }) => (await import("./claude-code.ts")).heraldClaudeCode(loaded, store),
  },
  {
    id: "github",
    made: ({ github }) => (github.repositories.length > 0 ? github : undefined),
    build: async ({ config }) => (await import("./github.ts")).heraldGitHub(config),
  },
  {
    id: "plans",
    made: ({ plan_engine }) => (plan_engine.url === undefined ? undefined : plan_engine),
    build: async ({ config }) => (await import("./plan.ts")).heraldPlans(config),
  },
  {
    id: "discord",
    made: ({ tools, discord }) => (tools.discord ? discord.token : undefined),
    build: async ({ config: { discord } }, { discordApi }) =>
      (await import("./discord.ts")).heraldDiscordTools(discord.token ?? "", discordApi),
  },
]
