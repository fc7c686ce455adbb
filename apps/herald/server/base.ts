import type { Namespace } from "@orra/core"
import { takeOverChats } from "./chats/take-over.ts"
import type { Environment } from "./config/expand.ts"
import { HERALD, type LoadedConfig, principals } from "./config/load.ts"
import { secretsOf } from "./config/summary.ts"
import { openDataDirectory } from "./data/directory.ts"
import { databaseFile, type HeraldStore, openStore, takeDatabase } from "./data/store.ts"
import { type Log, openLog, type TextOutput } from "./log/log.ts"
import type { ClaudeLogin } from "./provider/claude-login.ts"
import { systemKeychain } from "./provider/keychain.ts"
import { ProviderService } from "./provider/service.ts"
import { type Keychain, openVault } from "./provider/vault.ts"
import { zone } from "./runtime.ts"
import { differences, LiveConfig } from "./settings/live.ts"
import { SavedSettings } from "./settings/saved.ts"
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
  /** The origin of a push service that may be on this machine, without TLS: for tests. Default: none may. */
  readonly pushService?: string
}

/** What everything else stands on: the data, the log, the configuration in effect, the model service. */
export interface Base {
  /** Absolute. */
  readonly dataDir: string
  readonly log: Log
  readonly store: HeraldStore
  readonly live: LiveConfig
  /** What was in effect at the start. */
  readonly loaded: LoadedConfig
  readonly service: ProviderService
  /** The namespaces of those who may talk to this Herald. */
  readonly people: readonly Namespace[]
  readonly zones: Zones
}

/** Something to close when Herald ends: what was opened last goes first. */
export type OnClose = (close: () => unknown) => void

export async function openBase(fromFile: LoadedConfig, io: HeraldIo, onClose: OnClose): Promise<Base> {
  const directory = openDataDirectory(fromFile.dataDir)
  onClose(() => directory.release())
  const { path: dataDir } = directory
  const log = openLog({ level: fromFile.config.logging.level, dataDir, terminal: io.terminal })
  onClose(() => log.close())
  const store = await openStore(fromFile, {
    ...(io.now && { now: io.now }),
    onError: (err) => log.logger.warn({ err }, "the database"),
  })
  onClose(() => store.close())
  if (databaseFile(fromFile) === undefined) {
    const lost = (err: unknown): void => log.logger.error({ err }, "the database may be another Herald's now")
    onClose(await takeDatabase(store, dataDir, lost))
  }
  const { keychain = systemKeychain(io.env) } = io
  const keeping = {
    records: store.records("settings"),
    vault: openVault(dataDir, keychain),
    hide: log.hide,
  }
  const live = new LiveConfig(fromFile, await SavedSettings.open(keeping))
  const { loaded } = live
  for (const notice of live.notices) log.logger.warn(notice)
  await takeOverChats({ store, config: loaded.config, dataDir, logger: log.logger })
  if (loaded.config.audit.enabled) auditSettings(live, store, log)
  followLog(live, log)
  const service = await ProviderService.start({
    ...keeping,
    loaded,
    env: io.env,
    ...(io.login && { login: io.login }),
  })
  live.onChange((next) => () => service.follow(next))
  const people = principals(loaded.config)
  const zones = await Zones.open(store.records("people"), people, zone)
  return { dataDir, log, store, live, loaded, service, people, zones }
}

/** What is set is written down by its name: the value may be a secret. */
function auditSettings(live: LiveConfig, { audit }: HeraldStore, { logger }: Log): void {
  live.onChange((next, before) => () => {
    const names = differences(before.config, next.config)
    if (names.length === 0) return
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
