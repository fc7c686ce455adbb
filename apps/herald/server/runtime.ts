import {
  type Approvals,
  type Hooks,
  MemoryStore,
  Namespace,
  type PolicyLayer,
  PolicyRegistry,
  Runtime,
} from "@orra/core"
import type { SqliteStore } from "@orra/store-sql"
import { discordRoot, type LoadedConfig, OWNER } from "./config/load.ts"
import type { Log } from "./log/log.ts"
import { systemPrompt } from "./prompt.ts"
import type { ProviderService } from "./provider/service.ts"
import { runLog } from "./run-log.ts"
import { titleHook } from "./titles.ts"
import type { Toolbox } from "./tools/tools.ts"

/** Who answers: the first of `[[agents]]`, else `[agent]`. */
export const assistantOf = ({ config }: LoadedConfig) => config.agents[0] ?? config.agent

/** Where this machine is. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** The runtime of this Herald, with what each person may do in it. */
export function buildRuntime(parts: {
  readonly loaded: LoadedConfig
  readonly service: ProviderService
  readonly store: SqliteStore
  readonly log: Log
  /** What listens to runs, and changes none. */
  readonly listeners: readonly Hooks[]
  readonly toolbox: Toolbox
  readonly approvals: Approvals
}): Runtime {
  const { loaded, service, store, log, listeners, toolbox, approvals } = parts
  const { config } = loaded
  const { registry, policy, hooks: toolHooks } = toolbox
  const names = () => registry.list().map(({ definition }) => definition.name)
  const policies = new PolicyRegistry()
  policies.set(OWNER, policy)
  for (const { namespace, approve } of config.gateway.keys)
    policies.set(Namespace.parse(namespace), approve ? policy : unasked(policy))
  const discord = discordRoot(config)
  policies.set(discord, config.discord.approvers.length > 0 ? policy : unasked(policy))
  const { name, personality, system_prompt } = assistantOf(loaded)
  const assistant = { name, personality, systemPrompt: system_prompt }
  const hooks: readonly Hooks[] = [titleHook(() => runtime), runLog(log.logger), ...toolHooks, ...listeners]
  const runtime: Runtime = new Runtime({
    provider: service.provider,
    store: config.sessions.store === "memory" ? new MemoryStore() : store,
    tools: registry,
    policies,
    approvals,
    hooks,
    systemPrompt: ({ namespace, now }) =>
      systemPrompt(assistant, { namespace, now, zone, tools: names(), discord }),
    context: {
      maxTokens: config.context.max_tokens,
      reservedForOutput: config.context.reserved_for_output,
    },
    maxTokens: config.provider.max_tokens,
    ...(config.provider.temperature !== undefined && { temperature: config.provider.temperature }),
    // The directory's lock makes this the only process: it may take the leases of a dead one at once.
    owner: "herald",
    onError: (error) => log.logger.error({ err: error }, "after a run"),
  })
  return runtime
}

/** Where nobody can be asked, what would be asked about is refused. */
const unasked = (policy: PolicyLayer): PolicyLayer => ({
  ...policy,
  deny: [...(policy.deny ?? []), ...(policy.ask ?? [])],
  ask: [],
})
