import { type Hooks, type Namespace, NotFound, type Records, type Runtime } from "@orra/core"
import { Scheduler } from "@orra/cron"
import type { DiscordLinks, PostableChannel } from "@orra/discord"
import { discordRoot, principals } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { discordPeople } from "../discord-people.ts"
import type { Logger } from "../log/log.ts"
import type { CronHost } from "../tools/cron.ts"
import { personOf } from "../tools/person.ts"
import type { Zones } from "../zones.ts"
import { Chatting } from "./chatting.ts"
import { delivery, type Told } from "./delivery.ts"
import { addFileJobs, fileJobIds } from "./file-jobs.ts"
import { importOriginal } from "./import-original.ts"
import { MIN_INTERVAL_MS } from "./limits.ts"
import { Trash } from "./trash.ts"

/** So long a job waits while its person is being answered. */
const QUIET_MS = 60_000
/** There is no other process whose changes would be missed; a clock that was set is noticed after so long. */
const POLL_MS = 30_000

export interface SchedulesParts {
  /** As it is now. */
  readonly config: () => Config
  /** Absolute: where the jobs of the original may be. */
  readonly dataDir: string
  readonly logger: Logger
  readonly zones: Zones
  /** Where Discord is; default its own address. */
  readonly discordApi?: string | undefined
  /** Told what was written to a chat. */
  readonly told?: Told
}

/** The jobs of everybody who may talk to this Herald: each person's are done by a scheduler of their own. */
export class Schedules implements CronHost {
  /** For the runtime, which is made after this. */
  readonly hooks: Hooks
  readonly #parts: SchedulesParts
  readonly #chatting = new Chatting()
  readonly #ending = new AbortController()
  #schedulers: readonly { readonly prefix: Namespace; readonly scheduler: Scheduler }[] = []
  #running: Promise<unknown> = Promise.resolve()
  #trash: Trash | undefined
  #fileRecords: Records | undefined

  constructor(parts: SchedulesParts) {
    this.#parts = parts
    this.hooks = this.#chatting.hooks
  }

  of(session: Namespace): Scheduler {
    const found = this.#schedulers.find(({ prefix }) => prefix.contains(session))
    if (!found) throw new NotFound("schedule")
    return found.scheduler
  }

  homeOf(session: Namespace): Namespace {
    return personOf(this.#parts.config())(session) ?? session
  }

  zoneOf(session: Namespace): string {
    return this.#parts.zones.of(session)
  }

  /** What was deleted, for a while. @throws NotFound before `start`. */
  get trash(): Trash {
    if (!this.#trash) throw new NotFound("schedule")
    return this.#trash
  }

  /** The model of jobs that are light, if one is set. */
  get cheapModel(): string | undefined {
    return this.#parts.config().provider.cheap_model
  }

  /** The ids of the jobs of the configuration file. */
  async fileJobs(): Promise<ReadonlySet<string>> {
    return this.#fileRecords ? await fileJobIds(this.#fileRecords) : new Set()
  }

  /** The channels in Discord that can be written to; none without a bot. @throws DiscordError. */
  async channels(signal: AbortSignal): Promise<readonly PostableChannel[]> {
    return (await this.#poster())?.channels(signal) ?? []
  }

  /** Begins to do what is due, with what the file and the original have to be done. */
  async start(runtime: Runtime): Promise<void> {
    const { config, dataDir, logger } = this.#parts
    const now = config()
    if (!now.cron.enabled && !now.scheduler.enabled) return
    const { signal } = this.#ending
    const people = principals(now)
    const links = discordPeople(runtime.store, config)
    this.#trash = new Trash(runtime.store.records("cron-trash"))
    const deliver = delivery({
      runtime,
      chatting: this.#chatting,
      discord: discordRoot(now),
      poster: () => this.#poster(),
      told: this.#parts.told,
    })
    this.#schedulers = [...people, discordRoot(now)].map((prefix) => ({
      prefix,
      scheduler: new Scheduler(runtime, {
        prefix,
        deliver,
        isActive: (creator) => this.#isActive(links, creator),
        ready: ({ namespace }) => this.#chatting.quiet(this.homeOf(namespace), QUIET_MS, signal),
        timezone: this.zoneOf(prefix),
        lightModel: () => config().provider.cheap_model,
        minIntervalMs: MIN_INTERVAL_MS,
        pollMs: POLL_MS,
        onError: (error) => logger.warn({ err: error }, "schedules"),
      }),
    }))
    const records = runtime.store.records("cron-file")
    this.#fileRecords = records
    if (now.cron.enabled) await importOriginal({ schedules: this, config: now, dataDir, records, logger })
    await addFileJobs({ schedules: this, config: now, records, logger })
    for (const { prefix, scheduler } of this.#schedulers) await this.#trash.list(scheduler, prefix)
    this.#running = Promise.all(this.#schedulers.map(({ scheduler }) => scheduler.run({ signal })))
  }

  /** Begins nothing more. What goes on may come to its end, or goes on after the next start. */
  stop(): void {
    this.#ending.abort()
  }

  /** Resolves after `stop`, when nothing goes on any more. */
  async idle(): Promise<void> {
    await this.#running
    await Promise.all(this.#schedulers.map(({ scheduler }) => scheduler.idle()))
  }

  /** In Discord only those who may still talk to Herald have jobs done; others have their scheduler or none. */
  async #isActive(
    links: DiscordLinks,
    { namespace, principal }: { readonly namespace: Namespace; readonly principal?: string },
  ): Promise<boolean> {
    const config = this.#parts.config()
    const root = discordRoot(config)
    if (!root.contains(namespace) || principal === undefined) return true
    const { allowed_users: allowed } = config.discord
    const userId = principal.replace(/^discord:/, "")
    if (allowed.length > 0) return allowed.includes(userId)
    const isPrivate = namespace.segments[root.depth] === "dm"
    return !isPrivate || (await links.of(userId)) !== undefined
  }

  async #poster() {
    const { token, enabled } = this.#parts.config().discord
    const { discordApi: api } = this.#parts
    if (!enabled || token === undefined) return undefined
    // It takes half a second to load: only those who have a bot pay for it.
    const { discordPoster } = await import("@orra/discord")
    return discordPoster({ token, ...(api !== undefined && { api }) })
  }
}
