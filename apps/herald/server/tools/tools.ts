import {
  type Budgets,
  type Hooks,
  type Namespace,
  NotFound,
  type PolicyLayer,
  type SessionStore,
  type Tool,
  ToolRegistry,
  workingDirectory,
} from "@orra/core"
import type { Route } from "@orra/gateway"
import { documentRoutes } from "../api/documents.ts"
import type { SwitchedTools } from "../chats/chat-options.ts"
import type { LoadedConfig } from "../config/load.ts"
import { type Library, openLibrary } from "../documents/library.ts"
import type { Spend } from "../outlay.ts"
import type { CronHost } from "./cron.ts"
import { families } from "./families.ts"
import { McpHost } from "./mcp.ts"

/** The tools that are on, with what they need of a runtime. */
export interface Toolbox {
  /** Herald's own that are on now. */
  readonly tools: readonly Tool[]
  /** These and those of MCP servers, which come and go. */
  readonly registry: ToolRegistry
  /** After all others that look at calls. */
  readonly hooks: readonly Hooks[]
  /** For everybody who may talk to this Herald, as it is now. */
  readonly policy: PolicyLayer
  /** What is on now and can be off in a chat. */
  readonly switched: readonly SwitchedTools[]
  /** What a person should know of them now, one line each. */
  readonly remarks: readonly string[]
  /** What the page asks of them. */
  readonly routes: readonly Route[]
  readonly mcp: McpHost
  readonly library: Library
  /**
   * Makes what is on with another configuration. What it returns puts it to use.
   *
   * @throws InvalidInput for what cannot be, such as a search without its key.
   */
  prepare(next: Loaded): Promise<() => Promise<void>>
  /** Ends what they have begun. */
  close(): Promise<void>
}

/** Some of them. Without a policy all of its tools are allowed. Its hooks only look at calls of its own tools. */
export type ToolFamily = Pick<Toolbox, "tools"> &
  Partial<Pick<Toolbox, "hooks" | "policy" | "remarks" | "routes">>

type Loaded = Pick<LoadedConfig, "config" | "dataDir" | "file">

/** How agents hand tasks on. */
export const HANDING: readonly string[] = ["delegate_to_agent", "spawn_agent"]

/** How long MCP servers are waited for, in ms. */
const WAIT_MS = 5_000

const NOTHING_SCHEDULED: CronHost = {
  of: () => {
    throw new NotFound("schedule")
  },
  homeOf: (session) => session,
  zoneOf: () => undefined,
}

/** A family that is on, and what it was made of. */
interface Made {
  readonly of: string
  readonly family: ToolFamily
}

/**
 * The tools that are on. Of another package only what is on is loaded. `told` hears of MCP servers that come, go or
 * change later.
 */
export async function buildTools(
  loaded: Loaded,
  zone: string,
  store: SessionStore,
  {
    told = () => {},
    waitMs = WAIT_MS,
    discordApi,
    zoneOf = () => zone,
    schedules = NOTHING_SCHEDULED,
    budgets,
    spend,
  }: {
    readonly told?: (line: string) => void
    readonly waitMs?: number
    readonly discordApi?: string | undefined
    /** Where somebody is. Default: where this machine is. */
    readonly zoneOf?: (session: Namespace) => string
    readonly schedules?: CronHost
    readonly budgets?: Budgets
    readonly spend?: Spend
  } = {},
): Promise<Toolbox> {
  const library = openLibrary(loaded.config, store, told, spend)
  const parts = { zoneOf, store, library, schedules, budgets, discordApi }
  let made: readonly (Made | undefined)[] = []
  const on = (): readonly ToolFamily[] => made.flatMap((each) => each?.family ?? [])
  const own = (): readonly Tool[] => on().flatMap(({ tools }) => tools)

  const makeAll = (next: Loaded): Promise<readonly (Made | undefined)[]> =>
    Promise.all(
      families.map(async (entry, index) => {
        const of = JSON.stringify(entry.made(next.config))
        if (of === undefined) return undefined
        const before = made[index]
        return before?.of === of ? before : { of, family: await entry.build(next, parts) }
      }),
    )

  made = await makeAll(loaded)
  const registry = new ToolRegistry(own())
  const mcp = new McpHost({ registry, store, waitMs, told })
  await mcp.use(loaded.config.mcp.servers)
  return {
    registry,
    mcp,
    library,
    hooks: [
      workingDirectory({ tools: ["exec", "claude_code"] }),
      { name: "tools", beforeTool: (call, context) => firstAnswer(on(), call, context) },
    ],
    routes: [
      ...documentRoutes(library, () => registry.get("search_documents") !== undefined),
      ...on().flatMap(({ routes }) => routes ?? []),
    ],
    get tools() {
      return own()
    },
    get policy() {
      return policyOf([...on(), { tools: [], policy: mcp.policy }])
    },
    get switched() {
      return [
        ...families.flatMap(({ id }, index) => {
          const tools = made[index]?.family.tools.map(nameOf) ?? []
          return id === undefined || tools.length === 0 ? [] : [{ id, tools }]
        }),
        { id: "agents", tools: HANDING },
        ...[...mcp.states.keys()].map((name) => ({ id: `mcp:${name}`, tools: [`${name}__*`] })),
      ]
    },
    get remarks() {
      return [...on().flatMap(({ remarks }) => remarks ?? []), ...mcp.remarks]
    },
    async prepare(next) {
      const then = await makeAll(next)
      return async () => {
        for (const tool of own()) registry.remove(nameOf(tool))
        made = then
        for (const tool of own()) registry.add(tool)
        await mcp.use(next.config.mcp.servers)
      }
    },
    async close() {
      await library.close()
      await mcp.close()
    },
  }
}

/** Each family answers for its own tools, so there is one answer at most. */
async function firstAnswer(
  on: readonly ToolFamily[],
  ...[call, context]: Parameters<NonNullable<Hooks["beforeTool"]>>
): Promise<Awaited<ReturnType<NonNullable<Hooks["beforeTool"]>>>> {
  for (const { hooks = [] } of on) {
    for (const hook of hooks) {
      const answer = await hook.beforeTool?.(call, context)
      if (answer) return answer
    }
  }
  return undefined
}

/** What is on is allowed, or as its own rules say; all else is not. */
function policyOf(layersOf: readonly ToolFamily[]): PolicyLayer {
  const layers = layersOf.map(({ tools, policy }) => policy ?? { allow: tools.map(nameOf) })
  const rules = (decision: "deny" | "ask" | "allow") => layers.flatMap((layer) => layer[decision] ?? [])
  return { deny: rules("deny"), ask: rules("ask"), allow: rules("allow"), default: "deny" }
}

const nameOf = ({ definition }: Tool): string => definition.name
