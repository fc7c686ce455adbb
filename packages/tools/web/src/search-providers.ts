import { isObject, type JsonObject, parseJson } from "@orra/core"
import { WebError } from "./errors.ts"
import type { SearchProvider, SearchResult } from "./search.ts"

interface Service {
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch
}

/** Brave Search, with a key from its dashboard. */
export interface BraveOptions extends Service {
  readonly apiKey: string
  /** Default `https://api.search.brave.com/res/v1`. */
  readonly baseUrl?: string
}

/** A SearXNG instance whose settings allow the format `json`. */
export interface SearxngOptions extends Service {
  /** `https://search.example.org`. */
  readonly url: string
}

/** Tavily, with its API key. */
export interface TavilyOptions extends Service {
  readonly apiKey: string
  /** Default `https://api.tavily.com`. */
  readonly baseUrl?: string
}

const MAX_BYTES = 2_000_000

/** ```ts
 * webTools({ search: braveSearch({ apiKey: process.env.BRAVE_API_KEY }) })
 * ``` */
export function braveSearch({
  apiKey,
  baseUrl = "https://api.search.brave.com/res/v1",
  ...service
}: BraveOptions): SearchProvider {
  const name = "Brave Search"
  return {
    name,
    async search(query, { count, signal }) {
      const url = new URL(`${baseUrl}/web/search`)
      url.searchParams.set("q", query)
      url.searchParams.set("count", `${count}`)
      const headers = { accept: "application/json", "x-subscription-token": apiKey }
      const { web } = await answer(name, url, { headers, signal }, service)
      return resultsOf(isObject(web) ? web["results"] : [], "description")
    },
  }
}

/** ```ts
 * webTools({ search: searxngSearch({ url: "https://search.example.org" }) })
 * ``` */
export function searxngSearch({ url: base, ...service }: SearxngOptions): SearchProvider {
  const name = "SearXNG"
  return {
    name,
    async search(query, { count, signal }) {
      const url = new URL("search", base.endsWith("/") ? base : `${base}/`)
      url.searchParams.set("q", query)
      url.searchParams.set("format", "json")
      const { results } = await answer(
        name,
        url,
        { headers: { accept: "application/json" }, signal },
        service,
      )
      return resultsOf(results, "content").slice(0, count)
    },
  }
}

/** ```ts
 * webTools({ search: tavilySearch({ apiKey: process.env.TAVILY_API_KEY }) })
 * ``` */
export function tavilySearch({
  apiKey,
  baseUrl = "https://api.tavily.com",
  ...service
}: TavilyOptions): SearchProvider {
  const name = "Tavily"
  return {
    name,
    async search(query, { count, signal }) {
      const { results } = await answer(
        name,
        new URL(`${baseUrl}/search`),
        {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
          body: JSON.stringify({ query, max_results: count }),
          signal,
        },
        service,
      )
      return resultsOf(results, "content")
    },
  }
}

/** What the service answers. It is the operator's choice, so it may be anywhere; its key goes nowhere else. */
async function answer(
  name: string,
  url: URL,
  request: RequestInit & { readonly signal: AbortSignal },
  { fetch = globalThis.fetch }: Service,
): Promise<JsonObject> {
  const failed = (message: string, details = {}, cause?: unknown): WebError =>
    new WebError("search_failed", `${name}: ${message}`, details, cause)
  let response: Response
  let text: string
  try {
    response = await fetch(url, { ...request, redirect: "error" })
    text = await beginning(response)
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason
    throw failed("it could not be reached. Try again later.", {}, error)
  }
  const { status, headers } = response
  if (status === 401 || status === 403)
    throw failed("it refused the key: whoever runs this has to set a valid one.", { status })
  if (status === 429) {
    const seconds = /^\d{1,6}$/.exec(headers.get("retry-after") ?? "")?.[0]
    throw failed(
      `too many searches for now. Try again ${seconds === undefined ? "later" : `in ${seconds} s`}.`,
      { status },
    )
  }
  if (status === 400 || status === 422) throw failed("it does not take this query: change it.", { status })
  if (!response.ok) throw failed(`HTTP ${status}. Try again later.`, { status })
  try {
    const body = parseJson(text)
    if (isObject(body)) return body
  } catch {
    // Said below.
  }
  throw failed("what it answered is not what it promises. Try again later.")
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_BYTES) break
  }
  return Buffer.concat(chunks).toString("utf8")
}

function resultsOf(found: unknown, description: string): readonly SearchResult[] {
  return (Array.isArray(found) ? found : []).flatMap((each: unknown) => {
    if (!isObject(each) || typeof each["url"] !== "string") return []
    if (!/^https?:\/\//i.test(each["url"])) return []
    return [{ title: plain(each["title"]), url: each["url"], description: plain(each[description]) }]
  })
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  "#x27": "'",
  nbsp: " ",
}

/** Without the marks of what was found, and the characters that stand for others. */
const plain = (text: unknown): string =>
  typeof text === "string"
    ? text
        .replace(/<\/?(?:strong|b|em|mark)>/gi, "")
        .replace(
          /&(amp|lt|gt|quot|#39|#x27|nbsp);/gi,
          (whole, name: string) => ENTITIES[name.toLowerCase()] ?? whole,
        )
    : ""
