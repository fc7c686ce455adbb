import { firstCodePoints, isObject, OrraError, visibleText } from "@orra/core"

/** Why GitHub did not do what was asked. Stable: match on these. */
export type GitHubErrorCode =
  /** The token is missing, wrong or expired. */
  | "github_unauthorized"
  /** The token may not do this. */
  | "github_forbidden"
  /** Too many requests; `details.retryAfterSeconds` says when it goes on, where GitHub does. */
  | "github_rate_limited"
  /** There is no such issue, pull request or branch, or the token does not see it. */
  | "github_not_found"
  /** It cannot be done as things stand: a merge that conflicts, a head that moved. */
  | "github_conflict"
  /** GitHub does not take the input. */
  | "github_invalid"
  /** GitHub has a problem, or could not be reached. */
  | "github_unavailable"
  /** What it sent is larger than is read. */
  | "github_too_large"

/** What GitHub did not do. The message says what the model can do about it; it never holds the token. */
export class GitHubError extends OrraError {
  declare readonly code: GitHubErrorCode

  constructor(
    code: GitHubErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}

/** Longest of what GitHub says that is passed on. */
const MAX_SAID = 500

/** What an answer of GitHub's, or none, means for whoever asked. Anything else is given back as it is. */
export function githubError(error: unknown): unknown {
  if (!(error instanceof Error) || !("status" in error) || error.name === "AbortError") return error
  const cause = error.cause instanceof GitHubError ? error.cause : undefined
  if (cause) return cause
  const { status, response } = error as Error & { readonly status: unknown; readonly response?: unknown }
  if (typeof status !== "number" || !isObject(response)) {
    return new GitHubError("github_unavailable", "GitHub could not be reached. Try again later.")
  }
  const said = saidBy(response["data"])
  const headers = isObject(response["headers"]) ? response["headers"] : {}
  const retryAfterSeconds = retryAfter(headers, said)
  if ((status === 403 || status === 429) && retryAfterSeconds !== undefined) {
    const when = retryAfterSeconds > 0 ? `in ${retryAfterSeconds} seconds` : "later"
    return new GitHubError(
      "github_rate_limited",
      `GitHub takes no more requests for now. Try again ${when}.`,
      {
        status,
        retryAfterSeconds,
      },
    )
  }
  const [code, advice] = meaning(status)
  return new GitHubError(code, `GitHub API ${status}: ${said || "no reason given"}. ${advice}`, { status })
}

function meaning(status: number): readonly [GitHubErrorCode, string] {
  switch (status) {
    case 401:
      return ["github_unauthorized", "The token is not valid: whoever runs this has to set a new one."]
    case 403:
    case 451:
      return ["github_forbidden", "The token may not do this: whoever runs this can give it the permission."]
    case 404:
    case 410:
      return [
        "github_not_found",
        "Check the number or the name; the token may also not be allowed to see it.",
      ]
    case 405:
    case 409:
      return ["github_conflict", "Look at its state again before another attempt."]
    case 400:
    case 406:
    case 422:
      return ["github_invalid", "Change what was asked for."]
    default:
      return ["github_unavailable", "GitHub has a problem. Try again later."]
  }
}

/** What GitHub says is wrong, on one line. Some of it may be what users wrote. */
function saidBy(data: unknown): string {
  if (!isObject(data) || typeof data["message"] !== "string") return ""
  const errors = Array.isArray(data["errors"]) ? data["errors"] : []
  const details = errors.map((each: unknown) => {
    if (typeof each === "string") return each
    if (!isObject(each)) return ""
    const { message, resource, field, code } = each
    return typeof message === "string" ? message : [resource, field, code].filter(Boolean).join(" ")
  })
  const whole = [data["message"].replace(/\.$/, ""), ...details.filter(Boolean)].join("; ")
  return firstCodePoints(visibleText(whole).replace(/\s+/g, " ").trim(), MAX_SAID)
}

/** Seconds until requests are taken again, 0 when GitHub does not say; undefined when that is not what is wrong. */
function retryAfter(headers: Readonly<Record<string, unknown>>, said: string): number | undefined {
  const asked = Number(headers["retry-after"])
  if (asked > 0) return Math.ceil(asked)
  if (headers["x-ratelimit-remaining"] === "0") {
    // Both times are GitHub's: this machine's clock may be wrong.
    const now = Date.parse(String(headers["date"]))
    const reset = Number(headers["x-ratelimit-reset"])
    return Math.max(0, Math.ceil(reset - now / 1_000)) || 0
  }
  return /\brate limit\b/i.test(said) ? 0 : undefined
}
