import {
  type AgentPrompt,
  type Approvals,
  type Budgets,
  type Hooks,
  MemoryStore,
  type PolicyLayer,
  type PolicyRegistry,
  summarize,
  Team,
} from "@orra/core"
import type { Agents } from "./agents/agents.ts"
import { askingHook } from "./chats/asking.ts"
import type { FolderOf } from "./chats/folders.ts"
import { discordRoot, type LoadedConfig } from "./config/load.ts"
import type { Config } from "./config/settings.ts"
import type { HeraldStore } from "./data/store.ts"
import { WithTemporary } from "./data/temporary.ts"
import type { Log } from "./log/log.ts"
import { callers, heraldLayers } from "./policy/layers.ts"
import type { AgentsOf } from "./policy/rules.ts"
import { heraldPrompt } from "./prompt.ts"
import type { ProviderService } from "./provider/service.ts"
import { runLog } from "./run-log.ts"
import { titleHook } from "./titles.ts"
import type { Toolbox } from "./tools/tools.ts"
import type { Zones } from "./zones.ts"

/** Where this machine is. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** Who answers, and what each person may have done. */
export interface HeraldTeam {
  readonly team: Team
  /** Makes the prompts of all agents. */
  readonly prompt: AgentPrompt
  /** What people may do changed: with the tools that are on, or with the configuration. */
  readonly applyPolicy: (config: Config) => void
}

/** The agents of this Herald at work. They change when those of `agents` do. */
export function buildTeam(parts: {
  readonly loaded: LoadedConfig
  readonly service: ProviderService
  readonly store: HeraldStore
  readonly log: Log
  readonly agents: Agents
  readonly zones: Zones
  readonly policies: PolicyRegistry
  readonly folderOf: FolderOf
  /** What listens to runs, and changes none. */
  readonly listeners: readonly Hooks[]
  readonly toolbox: Toolbox
  readonly approvals: Approvals
  readonly budgets: Budgets
}): HeraldTeam {
  const {
    loaded,
    service,
    store: disk,
    log,
    agents,
    zones,
    policies,
    folderOf,
    listeners,
    toolbox,
    approvals,
    budgets,
  } = parts
  const { config } = loaded
  const { agentsOf, hooks: callerHooks } = callers()
  const applyPolicy = (now: Config): void => setPolicies(policies, now, toolbox.policy, agentsOf)
  applyPolicy(config)
  const store = config.sessions.store === "memory" ? new MemoryStore() : new WithTemporary(disk)
  const hooks: readonly Hooks[] = [
    callerHooks,
    ...listeners,
    titleHook(() => team.runtime),
    askingHook(() => team.runtime),
    runLog(log.logger),
    ...toolbox.hooks,
  ]
  const prompt = heraldPrompt({ zones, folderOf, discord: discordRoot(config), names: () => agents.list() })
  const team: Team = new Team({
    agents: agents.team(),
    prompt,
    provider: service.provider,
    store,
    tools: toolbox.registry,
    policies,
    approvals,
    hooks,
    budgets,
    compaction: summarize(),
    context: {
      maxTokens: config.context.max_tokens,
      reservedForOutput: config.context.reserved_for_output,
    },
    maxTokens: config.provider.max_tokens,
    ...(config.provider.temperature !== undefined && { temperature: config.provider.temperature }),
    // The directory's lock, or the database's lease, makes this the only process: it may take the leases of a dead one at once.
    owner: "herald",
    onError: (error) => log.logger.error({ err: error }, "after a run"),
  })
  agents.onChange(() => team.set(agents.team()))
  return { team, prompt, applyPolicy }
}

/** What each person may have done, and each is asked about. */
function setPolicies(policies: PolicyRegistry, config: Config, tools: PolicyLayer, agentsOf: AgentsOf): void {
  const handing = ["delegate_to_agent", ...(config.tools.delegation ? ["spawn_agent"] : [])]
  const policy = { ...tools, allow: [...(tools.allow ?? []), ...handing] }
  for (const { namespace, layer } of heraldLayers(config, policy, agentsOf)) policies.set(namespace, layer)
}
