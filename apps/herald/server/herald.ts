import {
  Approvals,
  type Hooks,
  MemoryStore,
  Namespace,
  type PolicyLayer,
  PolicyRegistry,
  Runtime,
} from "@orra/core"
import { type SqliteStore, sqliteStore } from "@orra/store-sql"
import { settingsRoutes } from "./api/settings.ts"
import type { Environment } from "./config/expand.ts"
import { type LoadedConfig, OWNER, principals } from "./config/load.ts"
import { openDataDirectory } from "./data/directory.ts"
import { listen } from "./listen.ts"
import { type Log, openLog, type TextOutput } from "./log/log.ts"
import { systemPrompt } from "./prompt.ts"
import type { ClaudeLogin } from "./provider/claude-login.ts"
import { systemKeychain } from "./provider/keychain.ts"
import { ProviderService } from "./provider/service.ts"
import { type Keychain, openVault } from "./provider/vault.ts"
import { runLog } from "./run-log.ts"
import { type RunCounter, runCounter } from "./shutdown.ts"
import { loginLines, startupLines } from "./startup.ts"
import { titleHook } from "./titles.ts"
import { buildTools, type Toolbox } from "./tools/tools.ts"

export interface HeraldIo {
  readonly version: string
  /** The built web page's folder; undefined when it was not built. */
  readonly page: string | undefined
  readonly env: Environment
  /** Where what a person must read at start goes: addresses, the login link. Never logged. */
  readonly out: TextOutput
  /** Where the log goes. */
  readonly terminal: TextOutput
  /** Default: the system's. */
  readonly keychain?: Keychain | undefined
  /** Default: that of this user. */
  readonly login?: () => Promise<ClaudeLogin>
}

export interface Herald {
  /** `http://127.0.0.1:8080`, with the port that was taken. */
  readonly url: string
  /** The one-use link that logs a browser in. */
  readonly loginUrl: string
  /** Stops listening, gives running answers `graceMs` (default 5,000) to end, marks the others stopped. */
  close(graceMs?: number): Promise<void>
}

/**
 * Starts Herald and resolves when it listens. No model is called.
 *
 * @throws OrraError with what to do: `data_dir_*`, `store_*`, `port_in_use`, `listen_failed`. Whatever was opened is
 *   closed again.
 */
export async function startHerald(loaded: LoadedConfig, io: HeraldIo): Promise<Herald> {
  const closers: (() => unknown)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const directory = openDataDirectory(loaded.dataDir)
    closers.push(() => directory.release())
    const log = openLog({
      level: loaded.config.logging.level,
      dataDir: directory.path,
      terminal: io.terminal,
    })
    closers.push(() => log.close())
    for (const { key } of [{ key: loaded.config.gateway.api_key }, ...loaded.config.gateway.keys])
      log.hide(key)
    log.hide(loaded.config.discord.token)
    const store = await sqliteStore({ path: directory.database })
    closers.push(() => store.close())
    const { keychain = systemKeychain(io.env) } = io
    const service = await ProviderService.start({
      loaded,
      env: io.env,
      records: store.records("settings"),
      vault: openVault(directory.path, keychain),
      hide: log.hide,
      ...(io.login && { login: io.login }),
    })
    for (const { env, headers, url } of loaded.config.mcp.servers)
      for (const secret of [...Object.values(env), ...Object.values(headers), url]) log.hide(secret)
    const told = (line: string): void => log.logger.warn(line)
    const toolbox = await buildTools(loaded, zone, store, { told })
    closers.push(() => toolbox.close())
    for (const remark of toolbox.remarks) log.logger.info(remark)
    const counter = runCounter()
    const approvals = new Approvals()
    const runtime = buildRuntime({ loaded, service, store, log, counter, toolbox, approvals })
    closers.push(() => runtime.close())
    const everybody = [...principals(loaded.config), Namespace.parse(loaded.config.discord.namespace_prefix)]
    await recoverSessions(runtime, everybody, log)
    const { url, gateway } = await listen({
      config: loaded.config,
      runtime,
      approvals,
      page: io.page,
      logger: log.logger,
      logins: store.records("logins"),
      routes: settingsRoutes({ service, version: io.version, assistant: assistantOf(loaded).name }),
      version: io.version,
      showLink: (link) => io.out.write(`${loginLines(link).join("\n")}\n`),
    })
    closers.push(() => gateway.close())
    const { discord } = loaded.config
    if (discord.token !== undefined) {
      const { startDiscord } = await import("./discord.ts")
      const { logger } = log
      const service = startDiscord({ config: discord, token: discord.token, runtime, approvals, logger })
      closers.push(() => service.close())
    }
    // Runs end before the connections that wait for them.
    closers.push(() => runtime.close())
    const loginUrl = gateway.loginLink()
    const lines = startupLines({ loaded, version: io.version, state: service.state(), url, loginUrl })
    io.out.write(`${lines.join("\n")}\n`)
    log.logger.info({ version: io.version, url, data: directory.path }, "listening")
    return {
      url,
      loginUrl,
      async close(graceMs = 5_000) {
        log.logger.info("stopping")
        await counter.idle(graceMs)
        await closeAll()
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Who answers: the first of `[[agents]]`, else `[agent]`. */
const assistantOf = ({ config }: LoadedConfig) => config.agents[0] ?? config.agent

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

function buildRuntime(parts: {
  readonly loaded: LoadedConfig
  readonly service: ProviderService
  readonly store: SqliteStore
  readonly log: Log
  readonly counter: RunCounter
  readonly toolbox: Toolbox
  readonly approvals: Approvals
}): Runtime {
  const { loaded, service, store, log, counter, toolbox, approvals } = parts
  const { config } = loaded
  const { registry, policy, hooks: toolHooks } = toolbox
  const names = () => registry.list().map(({ definition }) => definition.name)
  const policies = new PolicyRegistry()
  policies.set(OWNER, policy)
  for (const { namespace, approve } of config.gateway.keys)
    policies.set(Namespace.parse(namespace), approve ? policy : unasked(policy))
  const { approvers, namespace_prefix: prefix } = config.discord
  policies.set(Namespace.parse(prefix), approvers.length > 0 ? policy : unasked(policy))
  const { name, personality, system_prompt } = assistantOf(loaded)
  const assistant = { name, personality, systemPrompt: system_prompt }
  const hooks: readonly Hooks[] = [counter.hooks, titleHook(() => runtime), runLog(log.logger), ...toolHooks]
  const runtime: Runtime = new Runtime({
    provider: service.provider,
    store: config.sessions.store === "memory" ? new MemoryStore() : store,
    tools: registry,
    policies,
    approvals,
    hooks,
    systemPrompt: ({ namespace, now }) =>
      systemPrompt(assistant, { namespace, now, zone, tools: names(), discord: Namespace.parse(prefix) }),
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

async function recoverSessions(
  runtime: Runtime,
  namespaces: readonly Namespace[],
  { logger }: Log,
): Promise<void> {
  for (const namespace of namespaces) {
    const closed = await runtime.recover(namespace)
    if (closed.length > 0) {
      logger.warn(
        { sessions: closed.length },
        "the last run of Herald was cut off: its unfinished answers are marked",
      )
    }
  }
}
