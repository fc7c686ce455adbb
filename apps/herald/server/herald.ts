import { errorMessage } from "@orra/core"
import type { Gateway, GatewayTeam, Route } from "@orra/gateway"
import { auditedLogins } from "./activity/logins.ts"
import { everybody } from "./activity/people.ts"
import { agentFor } from "./agents/route.ts"
import { activityRoutes } from "./api/activity.ts"
import { agentRoutes } from "./api/agents.ts"
import { chatOptionRoutes } from "./api/chat-options.ts"
import { chatRoutes } from "./api/chats.ts"
import { delegationRoutes } from "./api/delegations.ts"
import { discordLinkRoutes } from "./api/discord-links.ts"
import { folderRoutes } from "./api/folders.ts"
import { mentionRoute } from "./api/mentions.ts"
import { previewRoute } from "./api/preview.ts"
import { scheduleRoutes } from "./api/schedules.ts"
import { settingsRoutes } from "./api/settings.ts"
import { shareRoutes } from "./api/shares.ts"
import { type Base, type HeraldIo, type OnClose, openBase } from "./base.ts"
import type { LoadedConfig } from "./config/load.ts"
import { DiscordHost } from "./discord.ts"
import { discordPeople } from "./discord-people.ts"
import { Federation } from "./federation/federation.ts"
import { listen } from "./listen.ts"
import { pushRoutes } from "./push/routes.ts"
import { aboutRoutes } from "./settings/about.ts"
import { mcpRoutes } from "./settings/mcp-routes.ts"
import { configurationRoutes } from "./settings/routes.ts"
import { updateRoutes } from "./settings/updates.ts"
import { buildStaff, type Staff } from "./staff.ts"
import { loginLines, startupLines } from "./startup.ts"
import { imageRoute } from "./tools/image.ts"
import { chosenFolders } from "./tools/work-folders.ts"
import { heraldVoice } from "./voice.ts"

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
  const onClose: OnClose = (close) => void closers.push(close)
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const base = await openBase(fromFile, io, onClose)
    const staff = await buildStaff(base, io, onClose)
    const { url, gateway } = await openChannels(base, staff, io, onClose)
    const { live, loaded, service, dataDir } = base
    const { logger } = base.log
    const loginUrl = gateway.loginLink()
    const lines = startupLines({ loaded, version: io.version, state: service.state(), url, loginUrl })
    io.out.write(`${lines.join("\n")}\n`)
    logger.info({ version: io.version, url, data: dataDir }, "listening")
    return {
      url,
      loginUrl,
      async reload() {
        try {
          const { changed, waiting } = await live.reload()
          logger.info({ changed, waiting }, "the configuration was read again")
        } catch (error) {
          logger.error(`The configuration is not taken, what was there goes on. ${errorMessage(error)}`)
        }
      },
      async close(graceMs = 5_000) {
        logger.info("stopping")
        await staff.counter.idle(graceMs)
        await closeAll()
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** From here on people, other Heralds and the clock reach those who answer. */
async function openChannels(
  base: Base,
  staff: Staff,
  io: HeraldIo,
  onClose: OnClose,
): Promise<{ readonly url: string; readonly gateway: Gateway }> {
  const { live, loaded, store } = base
  const { logger } = base.log
  const { version } = io
  const { team, prompt, agents, approvals, toolbox, schedules, pushes, spend } = staff
  const { runtime } = team
  const heraldTeam: GatewayTeam = {
    stop: (namespace) => team.stop(namespace),
    delete: (namespace) => team.delete(namespace),
    agentFor: (message, asked) => agentFor(agents, message, asked),
  }
  const inDiscord = {
    // What those of other Heralds may do is for the people of this one.
    names: () => agents.list().flatMap(({ name, origin }) => (origin === "peer" ? [] : [name])),
    stop: heraldTeam.stop,
  }
  const links = discordPeople(store, () => live.loaded.config)
  const discord = new DiscordHost({
    runtime,
    agents: inDiscord,
    approvals,
    links,
    logger,
    api: io.discordApi,
  })
  live.onChange((next) => () => discord.use(next.config.discord))
  const federation = new Federation({ team, agents, prompt, spend, logger, version })
  onClose(() => federation.close())
  await federation.use(loaded.config)
  live.onChange((next) => () => federation.change(next.config))
  const logins = store.records("logins")
  const { url, gateway } = await listen({
    config: loaded.config,
    runtime,
    team: heraldTeam,
    approvals,
    page: io.page,
    logger,
    logins: loaded.config.audit.enabled
      ? auditedLogins(logins, store.audit, everybody(loaded.config))
      : logins,
    routes: [
      ...(await routesOf(base, staff, version, discord)),
      ...discordLinkRoutes(links, discord),
      ...pushRoutes(pushes, io.pushService),
      ...federation.routes,
    ],
    version,
    showLink: (link) => io.out.write(`${loginLines(link).join("\n")}\n`),
  })
  onClose(() => gateway.close())
  pushes.start((login) => gateway.holderOf(login))
  onClose(() => pushes.stop())
  onClose(() => schedules.idle())
  onClose(() => discord.close())
  await discord.use(loaded.config.discord)
  // Runs end before the connections that wait for them.
  onClose(() => runtime.close())
  toolbox.library.start()
  await schedules.start(runtime)
  onClose(() => schedules.stop())
  return { url, gateway }
}

/** Herald's own routes, beside those of the gateway. */
async function routesOf(
  { live, loaded, service, store, people, zones }: Base,
  { team, agents, chatOptions, toolbox, folders, chatFolders, schedules, budget, spend, metrics }: Staff,
  version: string,
  discord: DiscordHost,
): Promise<readonly Route[]> {
  const { runtime } = team
  return [
    ...settingsRoutes({ service, version, assistant: () => agents.default.name }),
    ...agentRoutes({ agents, team, zones, people, file: loaded.file }),
    ...delegationRoutes(team),
    ...chatOptionRoutes({ options: chatOptions, team, agents, families: () => toolbox.switched }),
    ...activityRoutes(store, loaded.config),
    ...chatRoutes({ runtime, options: chatOptions, context: () => live.loaded.config.context }),
    ...folderRoutes({
      folders: chatFolders,
      agents,
      runtime,
      people,
      directories: () => chosenFolders(live.loaded),
    }),
    ...scheduleRoutes(schedules, agents),
    ...budget.routes(runtime),
    ...(metrics?.routes ?? []),
    ...toolbox.routes,
    ...folders.routes,
    mentionRoute({ loaded: () => live.loaded, library: toolbox.library, directoryOf: folders.current }),
    imageRoute(store),
    previewRoute,
    ...shareRoutes({ store, isOn: () => live.loaded.config.gateway.share_links }),
    ...(await heraldVoice(loaded.config, spend)),
    ...configurationRoutes({ live, service, discord }),
    ...mcpRoutes({ live, mcp: toolbox.mcp }),
    ...updateRoutes({ live, version }),
    ...aboutRoutes({ live, version }),
  ]
}
