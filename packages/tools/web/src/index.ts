import type { Tool } from "@orra/core"
import type { GuardOptions } from "./guarded-fetch.ts"
import { webFetch } from "./web-fetch.ts"

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
export { htmlToMarkdown, type MarkdownPage } from "./html-to-markdown.ts"

/** Limits and address rules for every tool of the family; all have defaults. */
export interface WebToolsOptions extends GuardOptions {}

/**
 * The tools that reach the web, all through {@link guardedFetch}.
 *
 * ```ts
 * const tools = webTools({ allow: ["wiki.corp", "10.1.0.0/16"], timeoutMs: 20_000 })
 * ```
 *
 * @throws WebError (`url_invalid`) when an entry of `allow` or `ports` is not one.
 */
export const webTools = (options: WebToolsOptions = {}): readonly Tool[] => [webFetch(options)]
