import {
  DynamicProvider,
  errorMessage,
  InvalidInput,
  isObject,
  type Json,
  type JsonObject,
  Namespace,
  OrraError,
  type Provider,
  ProviderError,
  type Records,
} from "@orra/core"
import type { Environment } from "../config/expand.ts"
import type { LoadedConfig } from "../config/load.ts"
import { buildProvider, followingLogin, testProvider } from "./build.ts"
import { type ClaudeLogin, claudeLogin } from "./claude-login.ts"
import {
  fileDecides,
  type KeySource,
  type ProviderSettings,
  type ProviderType,
  type Resolution,
  resolveProvider,
  type SavedProvider,
  sourceLabel,
} from "./resolve.ts"
import { asSealed, type Sealed, type Vault } from "./vault.ts"

/** What may be shown of the model service in use: no secret. */
export interface ProviderState {
  readonly configured: boolean
  readonly source: KeySource
  /** `source` for people: "ANTHROPIC_API_KEY", "the web page". */
  readonly sourceLabel: string
  readonly type: ProviderType
  readonly model: string
  readonly apiUrl: string | null
  /** True when a key typed into the page is kept, in use or not. */
  readonly hasSaved: boolean
  /** The configuration file, when it decides about the service: then the page cannot. */
  readonly decidedBy: string | null
  /** What is worth knowing, such as an expired login. */
  readonly notices: readonly string[]
}

/** What the page sends. Missing fields keep their value. */
export interface ProviderInput {
  readonly type?: ProviderType | undefined
  readonly apiKey?: string | undefined
  readonly model?: string | undefined
  readonly apiUrl?: string | undefined
}

export interface ProviderServiceOptions {
  readonly loaded: Pick<LoadedConfig, "config" | "origins" | "file">
  readonly env: Environment
  readonly records: Records
  readonly vault: Vault
  /** Told of every secret before it is used, so that no log shows it. */
  readonly hide: (secret: string | undefined) => void
  readonly login?: () => Promise<ClaudeLogin>
}

/** Not a person's namespace: no key reaches it. */
const PLACE = Namespace.of("herald", "settings")
const RECORD = "provider"

/** The model service in use: found at start, exchanged from the page, kept across restarts. */
export class ProviderService {
  readonly provider = new DynamicProvider()
  readonly #options: ProviderServiceOptions
  #loaded: ProviderServiceOptions["loaded"]
  #saved: SavedProvider | undefined
  #sealed: Sealed | undefined
  #resolution: Resolution
  /** What keeps the settings from working, if something does. */
  #complaint: string | undefined
  #savedComplaint: string | undefined
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: ProviderServiceOptions) {
    this.#options = options
    this.#loaded = options.loaded
    this.#resolution = this.#resolve({ type: "none" }, undefined)
  }

  /** Finds the credentials and sets the provider. Nothing is asked of the network. */
  static async start(options: ProviderServiceOptions): Promise<ProviderService> {
    const service = new ProviderService(options)
    await service.#readSaved()
    await service.detect()
    return service
  }

  state(): ProviderState {
    const { settings, isConfigured, notices } = this.#resolution
    const { config, origins, file } = this.#loaded
    return {
      configured: isConfigured && this.provider.isConfigured,
      source: settings.source,
      sourceLabel: sourceLabel(this.#resolution),
      type: settings.type,
      model: settings.model,
      apiUrl: settings.apiUrl ?? null,
      hasSaved: this.#saved !== undefined,
      decidedBy: fileDecides(config, origins) ? (file ?? null) : null,
      notices: [...notices, this.#complaint, this.#savedComplaint].filter((notice) => notice !== undefined),
    }
  }

  /** From now on the file says this. */
  follow(loaded: ProviderServiceOptions["loaded"]): Promise<ProviderState> {
    return this.#inTurn(() => {
      this.#loaded = loaded
      return this.detect()
    })
  }

  /** Looks again at the environment and the Claude CLI's login. */
  async detect(): Promise<ProviderState> {
    await this.#use(this.#resolve(await this.#login(), this.#saved))
    return this.state()
  }

  /**
   * Tests the settings with a real call, then keeps and uses them. When the call fails nothing changes.
   *
   * @throws InvalidInput; OrraError (`settings_in_file`) when the configuration file decides; ProviderError.
   */
  save(input: ProviderInput, signal?: AbortSignal): Promise<ProviderState> {
    return this.#inTurn(async () => {
      const { saved, resolution } = await this.#candidate(input)
      await testProvider(await this.#build(resolution.settings, 1), signal)
      const { records, vault } = this.#options
      const isSameKey = saved.apiKey === this.#saved?.apiKey
      const sealed = isSameKey || saved.apiKey === undefined ? undefined : await vault.seal(saved.apiKey)
      const kept = isSameKey ? this.#sealed : sealed
      await records.put(PLACE, RECORD, asRecord(saved, kept))
      if (this.#sealed && this.#sealed !== kept) await vault.forget(this.#sealed)
      this.#saved = saved
      this.#sealed = kept
      this.#savedComplaint = undefined
      await this.#use(resolution)
      return this.state()
    })
  }

  /** Makes one small call with the settings in use, or those that would be with `input`. @throws ProviderError. */
  async test(input: ProviderInput = {}, signal?: AbortSignal): Promise<void> {
    const isChange = Object.values(input).some((value) => value !== undefined)
    const { settings, isConfigured } = isChange ? (await this.#candidate(input)).resolution : this.#resolution
    if (!isConfigured)
      throw new ProviderError("not_configured", "No API key is set yet: enter one.", { provider: "none" })
    await testProvider(await this.#build(settings, 1), signal)
  }

  /** Makes one small call of another model of the service in use. @throws ProviderError. */
  async testModel(model: string, signal?: AbortSignal): Promise<void> {
    const { settings, isConfigured } = this.#resolution
    if (!isConfigured)
      throw new ProviderError("not_configured", "No API key is set yet: enter one.", { provider: "none" })
    await testProvider(await this.#build({ ...settings, model }, 1), signal)
  }

  /** Forgets what the page saved. */
  forget(): Promise<ProviderState> {
    return this.#inTurn(async () => {
      await this.#options.records.delete(PLACE, RECORD)
      if (this.#sealed) await this.#options.vault.forget(this.#sealed)
      this.#saved = undefined
      this.#sealed = undefined
      this.#savedComplaint = undefined
      return await this.detect()
    })
  }

  /** What would be saved, and what would then be in use. */
  async #candidate(
    input: ProviderInput,
  ): Promise<{ readonly saved: SavedProvider; readonly resolution: Resolution }> {
    const { type: present } = this.#resolution.settings
    this.#checkFile(input)
    const type = input.type ?? present
    // Address, model and key belong to the service they were set for, the key also to its address.
    const before = this.#saved?.type === type ? this.#saved : undefined
    const apiUrl = input.apiUrl === undefined ? before?.apiUrl : input.apiUrl.trim() || undefined
    if (apiUrl !== undefined) checkUrl(apiUrl)
    const model = input.model === undefined ? before?.model : input.model.trim() || undefined
    const typed = input.apiKey?.trim() || undefined
    const apiKey = typed ?? (apiUrl === before?.apiUrl ? before?.apiKey : undefined)
    this.#options.hide(apiKey)

    const login = await this.#login()
    const others = this.#resolve(login, { type, apiUrl, model })
    const saved = { type, apiUrl, model, apiKey, over: typed ? others.settings.source : before?.over }
    const resolution = this.#resolve(login, saved)
    if (!resolution.isConfigured) {
      throw new InvalidInput("Enter an API key, or the address of a server that needs none.")
    }
    return { saved, resolution }
  }

  /** What the file says is changed in the file. */
  #checkFile(input: ProviderInput): void {
    const { config, origins, file } = this.#loaded
    if (!fileDecides(config, origins)) return
    const isKeyOnly =
      (input.type ?? config.provider.provider_type) === config.provider.provider_type &&
      !input.model?.trim() &&
      !input.apiUrl?.trim()
    if (isKeyOnly && config.provider.api_key === undefined) return
    throw new OrraError(
      "settings_in_file",
      `The model service is set under [provider] in ${file}: change it there, and let Herald read it again.`,
    )
  }

  #resolve(login: ClaudeLogin, saved: SavedProvider | undefined): Resolution {
    const { config, origins } = this.#loaded
    return resolveProvider({ config, origins, env: this.#options.env, login, saved })
  }

  async #use(resolution: Resolution): Promise<void> {
    const { settings, isConfigured } = resolution
    this.#resolution = resolution
    this.#complaint = undefined
    if (!isConfigured) return this.provider.swap(undefined)
    try {
      const provider = await this.#build(settings)
      this.provider.swap(
        settings.source === "claude-cli" ? followingLogin(provider, () => this.#renewed(settings)) : provider,
      )
    } catch (error) {
      if (!(error instanceof OrraError)) throw error
      this.#complaint = error.message
      this.provider.swap(undefined)
    }
  }

  /** A provider with the CLI's newer token, if there is one. */
  async #renewed(settings: ProviderSettings): Promise<Provider | undefined> {
    const login = await this.#login()
    if (login.type !== "login" || login.token === settings.apiKey) return undefined
    return await this.#build({ ...settings, apiKey: login.token })
  }

  #build(settings: ProviderSettings, attempts?: number): Promise<Provider> {
    this.#options.hide(settings.apiKey)
    const maxTokens = this.#loaded.config.provider.max_tokens
    return buildProvider(settings, { maxTokens, ...(attempts !== undefined && { attempts }) })
  }

  #login(): Promise<ClaudeLogin> {
    return this.#options.login?.() ?? claudeLogin({ env: this.#options.env })
  }

  async #readSaved(): Promise<void> {
    const record = (await this.#options.records.get(PLACE, RECORD))?.value
    if (!isObject(record)) return
    const { type, model, api_url: apiUrl, over } = record
    if (type !== "claude" && type !== "openai") return
    this.#sealed = asSealed(record["key"] as Json)
    let apiKey: string | undefined
    try {
      if (this.#sealed) apiKey = await this.#options.vault.open(this.#sealed)
    } catch (error) {
      this.#savedComplaint = errorMessage(error)
    }
    this.#saved = {
      type,
      model: asText(model),
      apiUrl: asText(apiUrl),
      apiKey,
      over: over === "env" || over === "claude-cli" ? over : undefined,
    }
  }

  /** Changes follow one another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

function asRecord({ type, model, apiUrl, over }: SavedProvider, sealed: Sealed | undefined): JsonObject {
  return {
    type,
    ...(model !== undefined && { model }),
    ...(apiUrl !== undefined && { api_url: apiUrl }),
    ...(over !== undefined && { over }),
    ...(sealed && { key: { ...sealed } }),
  }
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidInput(`"${text}" is not an address: it begins with http:// or https://.`)
  }
  if (url.username || url.password) {
    throw new InvalidInput("The address has a password in it: put the key into its own field.")
  }
}
