import { unlessAborted } from "./abortable.ts"
import { errorMessage, InvalidInput, OrraError } from "./errors.ts"
import type { Hooks } from "./hooks.ts"
import type { JsonObject } from "./json.ts"
import type { Tool } from "./tool.ts"

/**
 * Tools and hooks that belong together, with a beginning and an end. `tools` and `hooks` are asked for once, after
 * `init`, so that they can use what it made.
 *
 * ```ts
 * function weatherPlugin(): Plugin {
 *   let client: WeatherClient
 *   return {
 *     name: "weather",
 *     version: "1.0.0",
 *     init: async ({ apiKey }, { signal }) => void (client = await connect(String(apiKey), signal)),
 *     tools: () => [forecastTool(client)],
 *     shutdown: () => client.close(),
 *   }
 * }
 * ```
 */
export interface Plugin {
  /** What it is called, also in errors and configuration. */
  readonly name: string
  readonly version: string
  readonly description?: string
  /** `signal` fires when it takes too long: what it has begun is then its own to end. */
  init?(config: JsonObject, context: { readonly signal: AbortSignal }): Promise<void> | void
  tools?(): Iterable<Tool>
  hooks?(): Iterable<Hooks>
  shutdown?(): Promise<void> | void
}

export interface PluginInfo {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly enabled: boolean
  readonly initialised: boolean
}

/** How the shutdown of one plugin went. */
export type PluginEnd =
  | { readonly name: string; readonly ok: true }
  | { readonly name: string; readonly ok: false; readonly error: unknown }

/** A plugin could not begin. `cause` is what it threw; those that had begun before it have been shut down again. */
export class InitFailed extends OrraError {
  readonly plugin: string
  /** How the shutdown of the others went, last one first. */
  readonly rolledBack: readonly PluginEnd[]

  constructor(plugin: string, cause: unknown, rolledBack: readonly PluginEnd[]) {
    const message = `The plugin "${plugin}" could not begin: ${errorMessage(cause)}`
    super("plugin_init_failed", message, { plugin, rolledBack: rolledBack.map(({ name }) => name) }, cause)
    this.plugin = plugin
    this.rolledBack = rolledBack
  }
}

export interface PluginOptions {
  /** What `init` is given, as a copy. Default `{}`. */
  readonly config?: JsonObject
  /** Default true. */
  readonly enabled?: boolean
}

/** What the initialised plugins bring, in their order. */
export interface PluginParts {
  readonly tools: readonly Tool[]
  readonly hooks: readonly Hooks[]
}

interface Registered {
  readonly plugin: Plugin
  readonly config: JsonObject
  enabled: boolean
}

const NOTHING: PluginParts = { tools: [], hooks: [] }

/**
 * The plugins of an application: all of those enabled begin, in the order they were registered, or none does.
 *
 * ```ts
 * const plugins = new PluginRegistry()
 * plugins.register(weatherPlugin(), { config: { apiKey } })
 * const { tools, hooks } = await plugins.init(own)
 * const runtime = new Runtime({ provider, tools: [...own, ...tools], hooks: [...hooks] })
 * // ... and at the end, after runtime.close():
 * for (const end of await plugins.shutdown()) if (!end.ok) console.error(end.name, end.error)
 * ```
 */
export class PluginRegistry {
  readonly #registered = new Map<string, Registered>()
  readonly #timeoutMs: number
  /** Those that have begun, in that order. */
  #initialised: readonly Plugin[] = []
  #parts = NOTHING
  /** One change at a time: what is asked meanwhile waits. */
  #queue: Promise<unknown> = Promise.resolve()
  #busy = 0

  /** @param options `timeoutMs`: how long each plugin may take to begin and to end, default 30,000 ms. */
  constructor(options: { readonly timeoutMs?: number } = {}) {
    this.#timeoutMs = options.timeoutMs ?? 30_000
  }

  /** The tools of the plugins that have begun. */
  get tools(): readonly Tool[] {
    return this.#parts.tools
  }

  /** The hooks of the plugins that have begun. */
  get hooks(): readonly Hooks[] {
    return this.#parts.hooks
  }

  /** @throws OrraError (`plugin_exists`) when the name is taken, (`plugins_running`) between `init` and `shutdown`. */
  register(plugin: Plugin, { config = {}, enabled = true }: PluginOptions = {}): void {
    this.#assertIdle()
    const { name } = plugin
    if (name.trim() === "") throw new InvalidInput("A plugin needs a name.")
    if (this.#registered.has(name))
      throw new OrraError("plugin_exists", `There is already a plugin "${name}".`, { name })
    this.#registered.set(name, { plugin, config: structuredClone(config), enabled })
  }

  /**
   * Whether a plugin begins with the next `init`.
   *
   * @returns false when there is no such plugin.
   * @throws OrraError (`plugins_running`) between `init` and `shutdown`: its tools are in use.
   */
  setEnabled(name: string, enabled: boolean): boolean {
    this.#assertIdle()
    const found = this.#registered.get(name)
    if (found) found.enabled = enabled
    return found !== undefined
  }

  list(): readonly PluginInfo[] {
    return [...this.#registered.values()].map(({ plugin, enabled }) => ({
      name: plugin.name,
      version: plugin.version,
      description: plugin.description ?? "",
      enabled,
      initialised: this.#initialised.includes(plugin),
    }))
  }

  /**
   * Begins all enabled plugins, one after the other. When one fails, those before it are shut down, last one first,
   * and nothing has begun. One that brings a tool which another plugin or the application (`own`) has fails.
   *
   * @returns what they bring.
   * @throws InitFailed; OrraError (`plugins_running`) when they have begun already.
   */
  init(own: Iterable<Tool> = []): Promise<PluginParts> {
    return this.#next(async () => {
      if (this.#initialised.length > 0) throw running()
      const owners = new Map(Array.from(own, (tool) => [tool.definition.name, "the application"]))
      const begun: Plugin[] = []
      const tools: Tool[] = []
      const hooks: Hooks[] = []
      for (const { plugin, config, enabled } of this.#registered.values()) {
        if (!enabled) continue
        try {
          await this.#bounded((signal) => plugin.init?.(structuredClone(config), { signal }))
          // From here on there is something to end.
          begun.push(plugin)
          const brought = [...(plugin.tools?.() ?? [])]
          for (const { definition } of brought) {
            const owner = owners.get(definition.name)
            if (owner !== undefined)
              throw new OrraError("tool_exists", `"${definition.name}" is already a tool of ${owner}.`)
            owners.set(definition.name, `the plugin "${plugin.name}"`)
          }
          tools.push(...brought)
          hooks.push(...(plugin.hooks?.() ?? []))
        } catch (error) {
          throw new InitFailed(plugin.name, error, await this.#end(begun))
        }
      }
      this.#initialised = begun
      this.#parts = { tools, hooks }
      return this.#parts
    })
  }

  /**
   * Ends the plugins that have begun, last one first, each even when another fails. Close what uses their tools
   * before.
   *
   * @returns how it went, in that order.
   */
  shutdown(): Promise<readonly PluginEnd[]> {
    return this.#next(async () => {
      const begun = this.#initialised
      this.#initialised = []
      this.#parts = NOTHING
      return await this.#end(begun)
    })
  }

  async #end(plugins: readonly Plugin[]): Promise<readonly PluginEnd[]> {
    const ends: PluginEnd[] = []
    for (const plugin of plugins.toReversed()) {
      const { name } = plugin
      try {
        await this.#bounded(() => plugin.shutdown?.())
        ends.push({ name, ok: true })
      } catch (error) {
        ends.push({ name, ok: false, error })
      }
    }
    return ends
  }

  async #bounded(work: (signal: AbortSignal) => Promise<void> | void): Promise<void> {
    const controller = new AbortController()
    try {
      await unlessAborted(undefined, () => work(controller.signal), this.#timeoutMs)
    } catch (error) {
      controller.abort(error)
      throw error
    }
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++
    const task = this.#queue.then(work).finally(() => this.#busy--)
    this.#queue = task.catch(() => {})
    return task
  }

  #assertIdle(): void {
    if (this.#busy > 0 || this.#initialised.length > 0) throw running()
  }
}

const running = (): OrraError =>
  new OrraError("plugins_running", "The plugins have begun: shut them down before you change them.")
