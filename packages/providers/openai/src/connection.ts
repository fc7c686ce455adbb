import { checkedFetch, type Incoming, sender } from "@orra/provider-http"
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
export async function connect(
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
