import { OrraError } from "@orra/core"

/** Why a page could not be had. Stable: match on these. */
export type WebErrorCode =
  /** Not a web address, or one with a user name in it. */
  | "url_invalid"
  /** The host, its address or its port is not one that may be reached. */
  | "address_refused"
  /** Too many redirects, a circle, or one from https to http. */
  | "redirect_refused"
  /** The name has no address. */
  | "dns_failed"
  /** The total or the idle time is up. */
  | "fetch_timeout"
  /** No connection, or one that broke. */
  | "fetch_failed"
  /** An answer other than 2xx. */
  | "http_status"
  /** The site asks programs not to read the page. */
  | "robots_refused"
  /** The search service refused, or did not answer. */
  | "search_failed"
  /** An image, an archive or another thing that is not text. */
  | "content_unsupported"
  /** A charset or a compression that is not known, or a body that is not what it says it is. */
  | "content_invalid"

/** A page that could not be had. The message says what the model can do; the server
 * has no say in it beyond the host names it redirects to. */
export class WebError extends OrraError {
  declare readonly code: WebErrorCode

  constructor(
    code: WebErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
