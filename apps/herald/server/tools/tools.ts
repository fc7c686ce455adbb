import { type Hooks, type PolicyLayer, type SessionStore, type Tool, ToolRegistry } from "@orra/core"
import type { Route } from "@orra/gateway"
import type { LoadedConfig } from "../config/load.ts"
import { currentTime } from "./current-time.ts"

/** The tools that are on, with what they need of a runtime. */
export interface Toolbox {
  /** Herald's own. */
  readonly tools: readonly Tool[]
  /** These and those of MCP servers, which come and go. */
  readonly registry: ToolRegistry
  /** After all others that look at calls. */
  readonly hooks: readonly Hooks[]
  /** For everybody who may talk to this Herald. */
  readonly policy: PolicyLayer
  /** What a person should know of them, one line each. */
  readonly remarks: readonly string[]
  /** What the page asks of them. */
  readonly routes: readonly Route[]
  /** Ends what they have begun. */
  close(): Promise<void>
}

/** Some of them. Without a policy all of its tools are allowed. */
export type ToolFamily = Pick<Toolbox, "tools"> & Partial<Toolbox>

/** How long MCP servers are waited for, in ms. */
const WAIT_MS = 5_000

/**
 * The tools that are on. Of another package only what is on is loaded. `told` hears of MCP servers that come, go or
 * change later.
 */
export async function buildTools(
  loaded: Pick<LoadedConfig, "config" | "dataDir" | "file">,
  zone: string,
  store: SessionStore,
  {
    told = () => {},
    waitMs = WAIT_MS,
  }: { readonly told?: (line: string) => void; readonly waitMs?: number } = {},
): Promise<Toolbox> {
  const { tools, github, mcp, discord, memory } = loaded.config
  const families: ToolFamily[] = [{ tools: [currentTime({ zone })] }]
  if (memory.enabled) families.push((await import("./memory.ts")).heraldMemory(loaded.config, store))
  if (tools.web_fetch || tools.browser || tools.web_search)
    families.push((await import("./web.ts")).heraldWeb(loaded.config))
  if (tools.filesystem) families.push((await import("./filesystem.ts")).heraldFiles(loaded))
  if (tools.exec) families.push((await import("./exec.ts")).heraldExec(loaded))
  if (tools.claude_code) families.push((await import("./claude-code.ts")).heraldClaudeCode(loaded, store))
  if (github.repositories.length > 0) families.push((await import("./github.ts")).heraldGitHub(loaded.config))
  if (tools.discord && discord.token !== undefined)
    families.push((await import("./discord.ts")).heraldDiscordTools(discord.token))
  const own = families.flatMap((family) => family.tools)
  const registry = new ToolRegistry(own)
  const servers =
    mcp.servers.length > 0
      ? await (await import("./mcp.ts")).heraldMcp(loaded.config, { registry, store, waitMs, told })
      : undefined
  if (servers) families.push(servers)
  return {
    tools: own,
    registry,
    close: async () => await servers?.close(),
    hooks: families.flatMap((family) => family.hooks ?? []),
    policy: policyOf(families),
    remarks: families.flatMap((family) => family.remarks ?? []),
    routes: families.flatMap((family) => family.routes ?? []),
  }
}

/** What is on is allowed, or as its own rules say; all else is not. */
function policyOf(families: readonly ToolFamily[]): PolicyLayer {
  const layers = families.map(({ tools, policy }) => policy ?? { allow: tools.map(nameOf) })
  const rules = (decision: "deny" | "ask" | "allow") => layers.flatMap((layer) => layer[decision] ?? [])
  return { deny: rules("deny"), ask: rules("ask"), allow: rules("allow"), default: "deny" }
}

const nameOf = ({ definition }: Tool): string => definition.name
