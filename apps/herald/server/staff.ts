import { Approvals, type Namespace, PolicyRegistry, type Team } from "@orra/core"
import { Agents } from "./agents/agents.ts"
import { type Directories, directories } from "./api/files.ts"
import type { Base, HeraldIo, OnClose } from "./base.ts"
import { type HeraldBudget, heraldBudget } from "./budget.ts"
import { ChatOptions } from "./chats/chat-options.ts"
import { type FolderOf, Folders } from "./chats/folders.ts"
import { discordRoot, type LoadedConfig } from "./config/load.ts"
import { PEERS } from "./federation/peers.ts"
import type { Log } from "./log/log.ts"
import type { HeraldMetrics } from "./metrics.ts"
import { type Spend, spender } from "./outlay.ts"
import { placesOf } from "./policy/rules.ts"
import { Pushes } from "./push/push.ts"
import { buildTeam, type HeraldTeam, zone } from "./runtime.ts"
import { Schedules } from "./schedules/schedules.ts"
import { type RunCounter, runCounter } from "./shutdown.ts"
import { buildTools, type Toolbox } from "./tools/tools.ts"
import { chosenFolders } from "./tools/work-folders.ts"

/** Those who answer, with all they work with: nobody can talk to them yet. */
export interface Staff extends Pick<HeraldTeam, "team" | "prompt"> {
  readonly agents: Agents
  readonly chatOptions: ChatOptions
  readonly approvals: Approvals
  readonly toolbox: Toolbox
  readonly folders: Directories
  readonly chatFolders: Folders
  readonly schedules: Schedules
  readonly pushes: Pushes
  readonly budget: HeraldBudget
  readonly spend: Spend
  /** Undefined where no numbers are collected. */
  readonly metrics: HeraldMetrics | undefined
  readonly counter: RunCounter
}

export async function buildStaff(base: Base, io: HeraldIo, onClose: OnClose): Promise<Staff> {
  const { dataDir, log, store, live, loaded, service, people, zones } = base
  const { logger } = log
  const { discordApi } = io
  const config = () => live.loaded.config
  const approvals = new Approvals()
  const runtime = () => team.runtime
  const { pushService: local } = io
  const pushes = new Pushes({ config, dataDir, store, logger, approvals, runtime, local })
  const schedules = new Schedules({
    config,
    dataDir,
    logger,
    zones,
    discordApi,
    told: (notice, chat) => pushes.jobTold(notice, chat),
  })
  const budget = heraldBudget(store, loaded.config)
  const { budgets } = budget
  const spend = spender(budgets, (err) => logger.error({ err }, "after something was paid for"))
  const toolbox = await buildTools(loaded, zone, store, {
    told: (line) => logger.warn(line),
    discordApi,
    zoneOf: (session) => zones.of(session),
    schedules,
    budgets,
    spend,
  })
  live.onChange((next) => toolbox.prepare(next))
  onClose(() => toolbox.close())
  for (const remark of toolbox.remarks) logger.info(remark)
  const counter = runCounter()
  const metrics = await startMetrics(loaded, log)
  if (metrics) onClose(() => metrics.close())
  const chatFolders = new Folders(store)
  const folderOf: FolderOf = async (session, metadata) => {
    const person = people.find((each) => each.contains(session))
    return person && (await chatFolders.of(person, metadata))
  }
  const folders = directories({
    folders: () => chosenFolders(live.loaded),
    records: store.records("directories"),
    runtime: () => team.runtime,
    folderOf,
  })
  const policies = new PolicyRegistry({ store })
  const chatOptions = await ChatOptions.open(
    {
      store,
      policies,
      families: () => toolbox.switched,
      places: () => [PEERS, ...placesOf(config()).map(({ namespace }) => namespace)],
    },
    people,
  )
  const listeners = [
    folders.hooks,
    counter.hooks,
    schedules.hooks,
    pushes.hooks,
    chatOptions.hooks,
    ...(metrics ? [metrics.hooks] : []),
  ]
  const agents = await Agents.open(store.records("agents"), loaded)
  const parts = {
    loaded,
    service,
    store,
    log,
    agents,
    zones,
    policies,
    folderOf,
    listeners,
    toolbox,
    approvals,
    budgets,
  }
  const { team, prompt, applyPolicy } = buildTeam(parts)
  live.onChange((next) => async () => {
    applyPolicy(next.config)
    chatOptions.apply()
    budget.apply(next.config)
    await agents.reload(next)
  })
  onClose(() => team.runtime.close())
  await recoverSessions(team, [...people, discordRoot(loaded.config), PEERS], log)
  return {
    team,
    prompt,
    agents,
    chatOptions,
    approvals,
    toolbox,
    folders,
    chatFolders,
    schedules,
    pushes,
    budget,
    spend,
    metrics,
    counter,
  }
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
