import { Approvals, errorMessage, type Namespace, type Team } from "@orra/core"
import type { GatewayTeam } from "@orra/gateway"
import { type SqliteStore, sqliteStore } from "@orra/store-sql"
import { Agents } from "./agents/agents.ts"
import { agentFor } from "./agents/route.ts"
import { agentRoutes } from "./api/agents.ts"
import { chatRoutes } from "./api/chats.ts"
import { delegationRoutes } from "./api/delegations.ts"
import { directories } from "./api/files.ts"
import { previewRoute } from "./api/preview.ts"
import { scheduleRoutes } from "./api/schedules.ts"
import { settingsRoutes } from "./api/settings.ts"
import { heraldBudget } from "./budget.ts"
import type { Environment } from "./config/expand.ts"
import { discordRoot, HERALD, type LoadedConfig, principals } from "./config/load.ts"
import { secretsOf } from "./config/summary.ts"
import { openDataDirectory } from "./data/directory.ts"
import { DiscordHost } from "./discord.ts"
import { Federation } from "./federation/federation.ts"
import { PEERS } from "./federation/peers.ts"
import { listen } from "./listen.ts"
import { type Log, openLog, type TextOutput } from "./log/log.ts"
import { spender } from "./outlay.ts"
import type { ClaudeLogin } from "./provider/claude-login.ts"
import { systemKeychain } from "./provider/keychain.ts"
import { ProviderService } from "./provider/service.ts"
import { type Keychain, openVault } from "./provider/vault.ts"
import { buildTeam, zone } from "./runtime.ts"
import { Schedules } from "./schedules/schedules.ts"
import { aboutRoutes } from "./settings/about.ts"
import { differences, LiveConfig } from "./settings/live.ts"
import { mcpRoutes } from "./settings/mcp-routes.ts"
import { configurationRoutes } from "./settings/routes.ts"
import { SavedSettings } from "./settings/saved.ts"
import { updateRoutes } from "./settings/updates.ts"
import { runCounter } from "./shutdown.ts"
import { loginLines, startupLines } from "./startup.ts"
import { imageRoute } from "./tools/image.ts"
import { buildTools } from "./tools/tools.ts"
import { chosenFolders } from "./tools/work-folders.ts"
import { heraldVoice } from "./voice.ts"
import { Zones } from "./zones.ts"

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
  /** Instead of the machine's clock, in ms since 1970: for tests. */
  readonly now?: () => number
  /** Default: that of this user. */
  readonly login?: () => Promise<ClaudeLogin>
  /** Default: Discord's. */
  readonly discordApi?: string
}

export interface Herald {
  /** `http://127.0.0.1:8080`, with the port that was taken. */
  readonly url: string
  /** The one-use link that logs a browser in. */
  readonly loginUrl: string
  /** Reads the configuration again, and says in the log what came of it. */
  reload(): Promise<void>
  /** Stops listening, gives running answers `graceMs` (default 5,000) to end, marks the others stopped. */
  close(graceMs?: number): Promise<void>
}

/**
 * Starts Herald and resolves when it listens. No model is called.
 *
 * @throws OrraError with what to do: `data_dir_*`, `store_*`, `port_in_use`, `listen_failed`. Whatever was opened is
 *   closed again.
 */
export async function startHerald(fromFile: LoadedConfig, io: HeraldIo): Promise<Herald> {
  const closers: (() => unknown)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const directory = openDataDirectory(fromFile.dataDir)
    closers.push(() => directory.release())
    const log = openLog({
      level: fromFile.config.logging.level,
      dataDir: directory.path,
      terminal: io.terminal,
    })
    closers.push(() => log.close())
    const store = await sqliteStore({
      path: directory.database,
      audit: fromFile.config.audit.enabled,
      ...(io.now && { now: io.now }),
    })
    closers.push(() => store.close())
    const { keychain = systemKeychain(io.env) } = io
    const keeping = {
      records: store.records("settings"),
      vault: openVault(directory.path, keychain),
      hide: log.hide,
    }
    const live = new LiveConfig(fromFile, await SavedSettings.open(keeping))
    const { loaded } = live
    for (const notice of live.notices) log.logger.warn(notice)
    if (loaded.config.audit.enabled) auditSettings(live, store, log)
    followLog(live, log)
    const service = await ProviderService.start({
      ...keeping,
      loaded,
      env: io.env,
      ...(io.login && { login: io.login }),
    })
    live.onChange((next) => () => service.follow(next))
    const told = (line: string): void => log.logger.warn(line)
    const people = principals(loaded.config)
    const zones = await Zones.open(store.records("people"), people, zone)
    const zoneOf = (session: Namespace): string => zones.of(session)
    const schedules = new Schedules({
      config: () => live.loaded.config,
      dataDir: directory.path,
      logger: log.logger,
      zones,
      discordApi: io.discordApi,
    })
    const budget = heraldBudget(store, loaded.config)
    const { budgets } = budget
    const spend = spender(budgets, (error) =>
      log.logger.error({ err: error }, "after something was paid for"),
    )
    const about = { told, discordApi: io.discordApi, zoneOf, schedules, budgets, spend }
    const toolbox = await buildTools(loaded, zone, store, about)
    live.onChange((next) => toolbox.prepare(next))
    closers.push(() => toolbox.close())
    for (const remark of toolbox.remarks) log.logger.info(remark)
    const counter = runCounter()
    const metrics = await startMetrics(loaded, log)
    if (metrics) closers.push(() => metrics.close())
    const folders = directories({
      folders: () => chosenFolders(live.loaded),
      records: store.records("directories"),
      runtime: () => team.runtime,
    })
    const listeners = [folders.hooks, counter.hooks, schedules.hooks, ...(metrics ? [metrics.hooks] : [])]
    const approvals = new Approvals()
    const agents = await Agents.open(store.records("agents"), loaded)
    const parts = { loaded, service, store, log, agents, zones, listeners, toolbox, approvals, budgets }
    const { team, prompt, applyPolicy } = buildTeam(parts)
    live.onChange((next) => async () => {
      applyPolicy(next.config)
      budget.apply(next.config)
      await agents.reload(next)
    })
    const { runtime } = team
    const heraldTeam: GatewayTeam = {
      stop: (namespace) => team.stop(namespace),
      delete: (namespace) => team.delete(namespace),
      agentFor: (message, asked) => agentFor(agents, message, asked),
    }
    closers.push(() => runtime.close())
    await recoverSessions(team, [...people, discordRoot(loaded.config), PEERS], log)
    const inDiscord = {
      // What those of other Heralds may do is for the people of this one.
      names: () => agents.list().flatMap(({ name, origin }) => (origin === "peer" ? [] : [name])),
      stop: heraldTeam.stop,
    }
    const discord = new DiscordHost({
      runtime,
      agents: inDiscord,
      approvals,
      logger: log.logger,
      api: io.discordApi,
    })
    live.onChange(
      ({ config }) =>
        () =>
          discord.use(config.discord),
    )
    const { logger } = log
    const federation = new Federation({ team, agents, prompt, spend, logger, version: io.version })
    closers.push(() => federation.close())
    await federation.use(loaded.config)
    live.onChange(
      ({ config }) =>
        () =>
          federation.change(config),
    )
    const { url, gateway } = await listen({
      config: loaded.config,
      runtime,
      team: heraldTeam,
      approvals,
      page: io.page,
      logger: log.logger,
      logins: store.records("logins"),
      routes: [
        ...settingsRoutes({ service, version: io.version, assistant: () => agents.default.name }),
        ...agentRoutes({ agents, team, zones, people, file: loaded.file }),
        ...delegationRoutes(team),
        ...chatRoutes({ runtime, context: () => live.loaded.config.context }),
        ...scheduleRoutes(schedules, agents),
        ...budget.routes(runtime),
        ...(metrics?.routes ?? []),
        ...toolbox.routes,
        ...folders.routes,
        imageRoute(store),
        previewRoute,
        ...(await heraldVoice(loaded.config, spend)),
        ...configurationRoutes({ live, service, discord }),
        ...mcpRoutes({ live, mcp: toolbox.mcp }),
        ...updateRoutes({ live, version: io.version }),
        ...federation.routes,
        ...aboutRoutes({ live, version: io.version }),
      ],
      version: io.version,
      showLink: (link) => io.out.write(`${loginLines(link).join("\n")}\n`),
    })
    closers.push(() => gateway.close())
    closers.push(() => schedules.idle())
    closers.push(() => discord.close())
    await discord.use(loaded.config.discord)
    // Runs end before the connections that wait for them.
    closers.push(() => runtime.close())
    toolbox.library.start()
    await schedules.start(runtime)
    closers.push(() => schedules.stop())
    const loginUrl = gateway.loginLink()
    const lines = startupLines({ loaded, version: io.version, state: service.state(), url, loginUrl })
    io.out.write(`${lines.join("\n")}\n`)
    log.logger.info({ version: io.version, url, data: directory.path }, "listening")
    return {
      url,
      loginUrl,
      async reload() {
        try {
          const { changed, waiting } = await live.reload()
          log.logger.info({ changed, waiting }, "the configuration was read again")
        } catch (error) {
          log.logger.error(`The configuration is not taken, what was there goes on. ${errorMessage(error)}`)
        }
      },
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

/** What is set is written down by its name: the value may be a secret. */
function auditSettings(live: LiveConfig, { audit }: SqliteStore, { logger }: Log): void {
  live.onChange((next, before) => () => {
    const names = differences(before.config, next.config)
    audit
      .record(HERALD, { type: "settings_changed", names })
      .catch((err: unknown) => logger.error({ err }, "the audit"))
  })
}

/** The log knows all secrets, and its level is that of the configuration. */
function followLog(live: LiveConfig, log: Log): void {
  const hideAll = ({ config }: LoadedConfig): void => {
    for (const secret of secretsOf(config)) log.hide(secret)
  }
  hideAll(live.loaded)
  log.setLevel(live.loaded.config.logging.level)
  live.onChange((next) => {
    // What is tried is not written down either, whatever comes of it.
    hideAll(next)
    return () => log.setLevel(next.config.logging.level)
  })
}

async function startMetrics({ config }: LoadedConfig, { logger }: Log) {
  if (!config.metrics.enabled) return undefined
  const { heraldMetrics } = await import("./metrics.ts")
  return heraldMetrics(logger, { isLogged: config.metrics.log_metrics })
}

async function recoverSessions(team: Team, namespaces: readonly Namespace[], { logger }: Log): Promise<void> {
  for (const namespace of namespaces) {
    const closed = await team.recover(namespace)
    if (closed.length > 0) {
      logger.warn(
        { sessions: closed.length },
        "the last run of Herald was cut off: its unfinished answers are marked",
      )
    }
  }
}
