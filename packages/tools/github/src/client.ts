import { randomUUID } from "node:crypto"
import { createRequire } from "node:module"
import { retry } from "@octokit/plugin-retry"
import { throttling } from "@octokit/plugin-throttling"
import { Octokit } from "@octokit/rest"
import { GitHubError } from "./errors.ts"

/** How GitHub is reached. */
export interface ConnectionOptions {
  /**
   * A personal access token or an installation token, or a function that gives the one to use now. It needs read and
   * write on issues and pull requests, read on contents, checks and statuses. Default: none, which reads public
   * repositories.
   */
  readonly auth?: string | (() => string | Promise<string>)
  /** GitHub Enterprise Server: `https://github.example.org/api/v3`. Default `https://api.github.com`. */
  readonly baseUrl?: string
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch
}

/** More than any answer that is worth reading. */
const MAX_BYTES = 10_000_000
/** A pause GitHub asks for that is waited for once; a longer one is the model's to know. */
const MAX_WAIT_SECONDS = 20

/** Answers that another attempt would get as well. */
const FINAL = [400, 401, 403, 404, 405, 406, 409, 410, 422, 429, 451]

const PoliteOctokit = Octokit.plugin(throttling, retry)

/** A client that spaces its writes, waits out short limits, and asks again after a failure, where it only reads. */
export function connect(options: ConnectionOptions): Octokit {
  const { version } = createRequire(import.meta.url)("../package.json") as { readonly version: string }
  const waits = (seconds: number, _request: unknown, _client: unknown, retries: number): boolean =>
    retries < 1 && seconds <= MAX_WAIT_SECONDS
  const { auth } = options
  const client = new PoliteOctokit({
    userAgent: `Orra/${version}`,
    ...(typeof auth === "string" && { auth }),
    ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl.replace(/\/+$/, "") }),
    request: { fetch: bounded(options.fetch ?? globalThis.fetch) },
    retry: { retries: 2, doNotRetry: FINAL },
    throttle: { id: randomUUID(), onRateLimit: waits, onSecondaryRateLimit: waits },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  client.hook.before("request", async (request) => {
    if (request.method !== "GET") request.request = { ...request.request, retries: 0 }
    if (typeof auth === "function") request.headers["authorization"] = `token ${await auth()}`
  })
  return client
}

/** The fetch, which reads answers whole and fails where one is too large. */
function bounded(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!response.body) return response
    const chunks: Uint8Array<ArrayBuffer>[] = []
    let bytes = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      bytes += chunk.byteLength
      if (bytes > MAX_BYTES)
        throw new GitHubError("github_too_large", `GitHub sent more than ${MAX_BYTES} bytes. Ask for less.`)
      chunks.push(chunk)
    }
    return new Response(new Blob(chunks), response)
  }
}
