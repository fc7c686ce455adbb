import type { Tool } from "@orra/core"
import { type PageOptions, PageSource } from "./page-source.ts"
import { type SearchProvider, webSearch } from "./search.ts"
import { readUrlTool, webFetch } from "./web-fetch.ts"

export type { AddressOptions } from "./address.ts"
export { WebError, type WebErrorCode } from "./errors.ts"
export type { ResponseHead } from "./exchange.ts"
export {
  type FetchOptions,
  type GuardedResponse,
  type GuardOptions,
  guardedFetch,
  type Resolver,
} from "./guarded-fetch.ts"
export { guardedPost, type PostOptions } from "./guarded-post.ts"
export type { PageOptions } from "./page-source.ts"
export { htmlToMarkdown, type MarkdownPage } from "./reading.ts"
export type { PolitenessOptions } from "./robots.ts"
export type { SearchProvider, SearchResult } from "./search.ts"
export {
  type BraveOptions,
  braveSearch,
  type SearxngOptions,
  searxngSearch,
  type TavilyOptions,
  tavilySearch,
} from "./search-providers.ts"

/** Limits, address rules and manners for every tool of the family; all have defaults. */
export interface WebToolsOptions extends PageOptions {
  /** What `web_search` asks. Without one there is no such tool. */
  readonly search?: SearchProvider
}

/**
 * The tools that reach the web: `web_fetch`, `read_url` and, with `search`, `web_search`. Pages come through
 * {@link guardedFetch} and are kept for a while for the namespace that asked for them.
 *
 * ```ts
 * const tools = webTools({ allow: ["wiki.corp", "10.1.0.0/16"], search: braveSearch({ apiKey }) })
 * ```
 *
 * @throws WebError (`url_invalid`) when an entry of `allow` or `ports` is not one.
 */
export function webTools(options: WebToolsOptions = {}): readonly Tool[] {
  const { search, ...pages } = options
  const source = new PageSource(pages)
  return [webFetch(source), readUrlTool(source), ...(search ? [webSearch(search)] : [])]
}
