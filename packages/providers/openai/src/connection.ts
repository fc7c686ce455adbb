import {
  checkedFetch,
  type Incoming,
  type ModelService,
  missingKey,
  sender,
  serviceAddress,
} from "@orra/provider-http"
import type OpenAI from "openai"

/** The way to a service: the SDK, and requests that are sent as the SDK would send them. */
export interface Connection {
  readonly sdk: OpenAI
  /**
   * POSTs a body to a path below the base URL.
   *
   * @throws HttpFailure for an error status; what fetch throws when nothing came.
   */
  post(path: string, body: object, signal: AbortSignal): Promise<Incoming>
}

interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** The SDK's own timeout is out of the way: the watchdog keeps time. */
const NEVER_MS = 2_147_483_647

/** Loads the SDK when first needed: it weighs 20 MB. What it would do by itself is turned off. */
async function connect(
  baseURL: string,
  apiKey: string | undefined,
  official: boolean,
  inner: typeof fetch | undefined,
): Promise<Connection> {
  const { default: Sdk } = await import("openai")
  const sdk = new Sdk({
    baseURL,
    // The SDK insists on one. A server without keys gets no header.
    apiKey: apiKey ?? "none",
    adminAPIKey: null,
    // The organisation named in the environment is OpenAI's business only.
    ...(!official && { organization: null, project: null }),
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    fetch: checkedFetch(inner),
    ...(apiKey === undefined && { defaultHeaders: { authorization: null } }),
  })
  const send = sender(inner)
  // The SDK builds the request to a path once: address, credentials and headers are the same every time. Doing it anew
  // for each, with its retries and its timer, costs 250 µs, as much as the whole of fetch.
  const addresses = new Map<string, Promise<Address>>()
  const addressOf = async (path: string): Promise<Address> => {
    const { url, req } = await sdk.buildRequest({ method: "post", path, body: {} })
    return { url, headers: Object.fromEntries(req.headers) }
  }
  return {
    sdk,
    async post(path, body, signal) {
      const address = addresses.get(path) ?? addressOf(path)
      addresses.set(path, address)
      const { url, headers } = await address
      return await send(url, { method: "POST", headers, body: JSON.stringify(body), signal })
    },
  }
}

const DEFAULT_URL = "https://api.openai.com/v1"

/** Who is spoken to, and the way there. */
export interface Reached {
  readonly service: ModelService
  readonly hostname: string
  /** OpenAI itself. */
  readonly official: boolean
  /** Made at the first call. @throws ProviderError when OpenAI's key is missing. */
  connected(): Promise<Connection>
}

/**
 * OpenAI's key is taken from the environment for OpenAI's host only.
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function reach(
  options: {
    readonly id: string
    readonly apiKey?: string | undefined
    readonly baseURL?: string | undefined
    readonly fetch?: typeof fetch | undefined
  },
  ending: RegExp,
): Reached {
  const baseURL = serviceAddress(options.baseURL ?? DEFAULT_URL, ending, DEFAULT_URL)
  const { host, hostname } = new URL(baseURL)
  const official = hostname === new URL(DEFAULT_URL).hostname
  const apiKey =
    options.apiKey || (official ? globalThis.process?.env["OPENAI_API_KEY"] : undefined) || undefined
  const service: ModelService = {
    provider: options.id,
    name: official ? "OpenAI" : `the model service at ${host}`,
    host,
    secrets: apiKey === undefined ? [] : [apiKey],
  }
  let connection: Promise<Connection> | undefined
  return {
    service,
    hostname,
    official,
    async connected() {
      if (apiKey === undefined && official) throw missingKey(service, "OPENAI_API_KEY")
      connection ??= connect(baseURL, apiKey, official, options.fetch)
      return await connection
    },
  }
}
