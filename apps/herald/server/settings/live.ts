import { AT_START, LIVE } from "../config/live-keys.ts"
import { ConfigError, configOf, type LoadedConfig, rereadSource, type Table } from "../config/load.ts"
import { type Config, settings } from "../config/settings.ts"
import { valuesByName } from "../config/summary.ts"
import type { SavedSettings } from "./saved.ts"

/**
 * Makes ready for a new configuration, and throws when that cannot be: then nothing changes anywhere. What it returns is
 * called when all others are ready too, and may not fail.
 */
export type Prepare = (
  next: LoadedConfig,
  before: LoadedConfig,
) => Commit | undefined | Promise<Commit | undefined>
type Commit = () => unknown

/** What came of a change. */
export interface Change {
  /** Names of what is another now: `tools.exec`. */
  readonly changed: readonly string[]
  /** Names of what was changed since the start, and has an effect after a restart only. */
  readonly waiting: readonly string[]
}

const isLive = (section: string, key: string): boolean =>
  LIVE.includes(section) && !AT_START.includes(`${section}.${key}`)

/**
 * The configuration that is in effect: the defaults, over them what the page saved, over that the file, over that the
 * environment and the flags. It changes while Herald runs, as a whole or not at all.
 *
 * ```ts
 * live.onChange((next) => {
 *   const built = buildFrom(next.config) // throws: the change is refused, and its author told why
 *   return () => use(built)
 * })
 * ```
 */
export class LiveConfig {
  readonly saved: SavedSettings
  /** What of the saved settings is not used, and why. */
  readonly notices: readonly string[]
  readonly #started: LoadedConfig
  readonly #prepares = new Set<Prepare>()
  /** What the file and the page say, in effect or not. */
  #wanted: LoadedConfig
  #loaded: LoadedConfig
  #last: Promise<unknown> = Promise.resolve()

  /** @param loaded what the file says. Saved settings that it does not go with are left out: a Herald that does not start could not be set otherwise. */
  constructor(loaded: LoadedConfig, saved: SavedSettings) {
    const notices: string[] = [...saved.complaints]
    let table: Table = {}
    this.#started = loaded
    for (const [section, values] of Object.entries(saved.table)) {
      try {
        const more = { ...table, [section]: values }
        this.#started = configOf(loaded.source, more)
        table = more
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        notices.push(`What the page saved for ${section} is not used: ${messagesOf(error)}`)
      }
    }
    this.saved = saved
    this.notices = notices
    this.#wanted = this.#started
    this.#loaded = this.#started
  }

  /** What is in effect now. */
  get loaded(): LoadedConfig {
    return this.#loaded
  }

  /** Names of what the file or the page says and a restart is needed for. */
  get waiting(): readonly string[] {
    return differences(this.#loaded.config, this.#wanted.config)
  }

  /** From now on it is asked before each change, in the order of these calls. @returns what ends that. */
  onChange(prepare: Prepare): () => void {
    this.#prepares.add(prepare)
    return () => void this.#prepares.delete(prepare)
  }

  /**
   * Reads the file again. What it says is taken whole, or not at all.
   *
   * @throws ConfigError, OrraError (`config_missing`, `config_unreadable`) for a file that cannot be used, and what keeps
   *   something from being as it says.
   */
  reload(): Promise<Change> {
    return this.#inTurn(() =>
      this.#take(configOf(rereadSource(this.#wanted.source), this.saved.table), () => {}),
    )
  }

  /**
   * Keeps what the page says, and uses it where the file says nothing. `change` is given what is saved now.
   *
   * @throws ConfigError and what keeps something from being as it says: then nothing is kept.
   */
  save(change: (table: Table) => Table): Promise<Change> {
    return this.#inTurn(async () => {
      const table = change(this.saved.table)
      return await this.#take(configOf(this.#wanted.source, table), () => this.saved.put(table))
    })
  }

  async #take(wanted: LoadedConfig, keep: () => unknown): Promise<Change> {
    const before = this.#loaded
    const next = {
      ...wanted,
      config: withStarted(wanted.config, this.#started.config),
      dataDir: before.dataDir,
    }
    const commits: Commit[] = []
    for (const prepare of this.#prepares) {
      const commit = await prepare(next, before)
      if (commit) commits.push(commit)
    }
    await keep()
    this.#wanted = wanted
    this.#loaded = next
    for (const commit of commits) await commit()
    return { changed: differences(before.config, next.config), waiting: this.waiting }
  }

  /** Changes follow one another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

/** What is wrong, without where in a file. */
export const messagesOf = ({ problems }: ConfigError): string =>
  problems.map(({ message }) => message).join("; ")

/** A configuration with what only a start takes as it was at the start. */
function withStarted(next: Config, started: Config): Config {
  const merged = Object.keys(settings).map((section) => {
    const [now, then] = [next, started].map((config): unknown => config[section as keyof Config])
    if (!LIVE.includes(section)) return [section, then]
    if (Array.isArray(now)) return [section, now]
    const entries = Object.entries(now as object).map(([key, value]: [string, unknown]) => [
      key,
      isLive(section, key) ? value : (then as Table)[key],
    ])
    return [section, Object.fromEntries(entries)]
  })
  return Object.fromEntries(merged) as Config
}

/** Names of values that are another in the second. */
export function differences(before: Config, after: Config): readonly string[] {
  const values = valuesByName(before)
  return [...valuesByName(after)].flatMap(([name, value]) =>
    JSON.stringify(value) === JSON.stringify(values.get(name)) ? [] : [name],
  )
}
