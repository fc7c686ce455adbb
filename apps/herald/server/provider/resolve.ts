import type { Environment } from "../config/expand.ts"
import type { Config } from "../config/settings.ts"
import type { ClaudeLogin } from "./claude-login.ts"

export type ProviderType = Config["provider"]["provider_type"]

/** Where the key in use comes from. `none` with an `api_url`: the server needs no key. */
export type KeySource = "config" | "env" | "claude-cli" | "saved" | "none"

/** All that is needed to call a model. `apiKey` is a secret. */
export interface ProviderSettings {
  readonly type: ProviderType
  readonly model: string
  readonly apiKey: string | undefined
  /** Undefined: the vendor's own address. */
  readonly apiUrl: string | undefined
  /** Which of OpenAI's protocols is spoken, if it is OpenAI's. */
  readonly openaiApi: Config["provider"]["openai_api"]
  readonly source: KeySource
}

/** What was typed into the web page. `over` is the source it was meant to replace, if there was one. */
export interface SavedProvider {
  readonly type: ProviderType
  readonly model?: string | undefined
  readonly apiUrl?: string | undefined
  readonly apiKey?: string | undefined
  readonly over?: KeySource | undefined
}

export interface Resolution {
  readonly settings: ProviderSettings
  /** True when a model can be called: there is a key, or the server needs none. */
  readonly isConfigured: boolean
  /** What a person should know about the choice. */
  readonly notices: readonly string[]
}

const VENDORS: Readonly<
  Record<
    ProviderType,
    { readonly key: string; readonly url: string; readonly host: string; readonly model: string }
  >
> = {
  claude: {
    key: "ANTHROPIC_API_KEY",
    url: "ANTHROPIC_BASE_URL",
    host: "api.anthropic.com",
    model: "claude-opus-4-6",
  },
  openai: { key: "OPENAI_API_KEY", url: "OPENAI_BASE_URL", host: "api.openai.com", model: "gpt-5.1" },
}

/** True when the file says which model service to use, so that nothing else may. */
export const fileDecides = ({ provider, agents }: Config, origins: ReadonlyMap<string, string>): boolean =>
  provider.api_key !== undefined ||
  agents[0]?.model !== undefined ||
  ["provider.provider_type", "provider.model", "provider.api_url"].some((name) => origins.has(name))

/**
 * Which service to call, and with which key: that of the file, then of the environment, then (claude only) the
 * login of the Claude CLI, then the one saved from the web page. A key typed into the page while another of the
 * environment or the CLI was in use goes before that one: it was typed to replace it.
 *
 * A key goes only to whom it belongs: the environment's and the CLI's to the vendor's own address (or the one the
 * environment names beside it), a saved one to the address it was saved with.
 */
export function resolveProvider(options: {
  readonly config: Config
  readonly origins: ReadonlyMap<string, string>
  readonly env: Environment
  readonly login: ClaudeLogin
  readonly saved: SavedProvider | undefined
}): Resolution {
  const { config, env, login } = options
  const notices: string[] = []
  const decided = fileDecides(config, options.origins)
  const saved = usableSaved(options.saved, config, decided, notices)
  const type = decided ? config.provider.provider_type : (saved?.type ?? typeByKey(env, login))
  const vendor = VENDORS[type]
  const chosenUrl = decided ? config.provider.api_url : saved?.apiUrl
  const apiUrl = chosenUrl || env[vendor.url] || undefined
  const isVendors = !chosenUrl || hostOf(chosenUrl) === vendor.host

  const candidates: { readonly source: KeySource; readonly apiKey: string }[] = []
  const offer = (source: KeySource, apiKey: string | undefined) => {
    if (apiKey) candidates.push({ source, apiKey })
  }
  const savedKey =
    saved && saved.type === type && (saved.apiUrl ?? "") === (chosenUrl ?? "") ? saved.apiKey : undefined
  offer("config", config.provider.api_key)
  if (isVendors) {
    offer("env", env[vendor.key])
    if (type === "claude") offerLogin(login, offer, notices)
  } else if (env[vendor.key] && !config.provider.api_key) {
    notices.push(
      `${vendor.key} is not sent to ${hostOf(chosenUrl)}, which is not ${vendor.host}: write api_key = "\${${vendor.key}}" under [provider] if it is meant for it`,
    )
  }
  offer("saved", savedKey)

  const first = candidates[0]
  const replacing = candidates.find(({ source }) => source === "saved" && saved?.over === first?.source)
  const key = first?.source === "config" ? first : (replacing ?? first)
  const model = config.agents[0]?.model || (decided ? config.provider.model : saved?.model)
  return {
    settings: {
      type,
      model: model || vendor.model,
      apiKey: key?.apiKey,
      apiUrl,
      openaiApi: config.provider.openai_api,
      source: key?.source ?? "none",
    },
    isConfigured: key !== undefined || !isVendors,
    // An expired login matters only to someone who has nothing else.
    notices: key === undefined ? notices : notices.filter((notice) => !notice.startsWith("The login")),
  }
}

/** Where nobody chose: whom there is a key for, Claude first. */
const typeByKey = (env: Environment, login: ClaudeLogin): ProviderType =>
  env[VENDORS.openai.key] && !env[VENDORS.claude.key] && login.type !== "login" ? "openai" : "claude"

function usableSaved(
  saved: SavedProvider | undefined,
  config: Config,
  decided: boolean,
  notices: string[],
): SavedProvider | undefined {
  if (!saved || !decided || saved.type === config.provider.provider_type) return saved
  notices.push(
    `The ${saved.type} settings saved from the web page are not used: the configuration file chooses ${config.provider.provider_type}`,
  )
  return undefined
}

function offerLogin(
  login: ClaudeLogin,
  offer: (source: KeySource, key: string | undefined) => void,
  notices: string[],
): void {
  if (login.type === "login") offer("claude-cli", login.token)
  else if (login.type === "expired") {
    notices.push(`The login of the Claude CLI (${login.where}) has expired: run \`claude\` once to renew it`)
  } else if (login.type === "unreadable") {
    notices.push(`The login of the Claude CLI (${login.where}) cannot be read: ${login.reason}`)
  }
}

/** What people are told about where the key comes from. */
export function sourceLabel({ settings, isConfigured }: Resolution): string {
  switch (settings.source) {
    case "config":
      return "the configuration file"
    case "env":
      return VENDORS[settings.type].key
    case "claude-cli":
      return "the login of the Claude CLI"
    case "saved":
      return "the web page"
    case "none":
      return isConfigured ? "none needed" : "none yet"
  }
}

/** Where the service is. */
export const serviceUrl = ({
  type,
  apiUrl,
}: {
  readonly type: ProviderType
  readonly apiUrl: string | null
}): string => apiUrl ?? `https://${VENDORS[type].host}`

function hostOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : (url ?? "")
}
