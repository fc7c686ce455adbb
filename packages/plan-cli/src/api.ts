import { CliError } from "./errors.ts"

/** As long as the original waited: planning can take minutes. */
const TIMEOUT_MS = 5 * 60_000

export interface ApiOptions {
  readonly server: string
  /** The key of a project, or of whoever may register projects. */
  readonly key?: string
  readonly signal: AbortSignal
}

export interface ApiRequest {
  readonly body?: unknown
  /** Instead of a body, one in YAML, as it is. */
  readonly yaml?: string
  readonly query?: Readonly<Record<string, string | undefined>>
}

/** What the engine answers, in the shape that the route has. */
export interface Api {
  request<T>(method: string, path: string, request?: ApiRequest): Promise<T>
  /** The answer as it comes, for streams; not ended by a timeout. */
  open(method: string, path: string, request?: OpenRequest): Promise<Response>
}

export interface OpenRequest extends Pick<ApiRequest, "body" | "query"> {
  readonly headers?: Readonly<Record<string, string>>
}

/** The API of an engine. Errors are CliErrors that say what to do. */
export function engineApi({ server, key, signal }: ApiOptions): Api {
  const address = (path: string, query: ApiRequest["query"] = {}): URL => {
    if (!URL.canParse(server)) throw notReached(server, "this is no web address")
    const url = new URL(`${server.replace(/\/+$/, "")}${path}`)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value)
    return url
  }
  const ask = async (url: URL, request: RequestInit): Promise<Response> => {
    try {
      return await fetch(url, {
        ...request,
        headers: { ...request.headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      })
    } catch (error) {
      signal.throwIfAborted()
      if ((error as Error).name === "TimeoutError")
        throw new CliError(
          "engine_slow",
          `The engine at ${server} has not answered for 5 minutes.`,
          "It may still be planning: look with orra ps",
        )
      throw notReached(server, reason(error))
    }
  }
  return {
    async request<T>(method: string, path: string, { body, yaml, query }: ApiRequest = {}): Promise<T> {
      const response = await ask(address(path, query), {
        method,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
        }),
        ...(yaml !== undefined && { body: yaml, headers: { "content-type": "application/yaml" } }),
      })
      const text = await response.text().catch((error: unknown) => {
        signal.throwIfAborted()
        throw notReached(server, reason(error))
      })
      if (!response.ok) throw refused(server, path, response, text)
      return (text === "" ? undefined : parsed(server, text)) as T
    },
    async open(method, path, { body, query, headers = {} } = {}) {
      const response = await ask(address(path, query), {
        method,
        signal,
        headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      if (!response.ok) throw refused(server, path, response, await response.text())
      return response
    },
  }
}

const notReached = (server: string, why: string): CliError =>
  new CliError(
    "engine_unreachable",
    `The engine at ${server} cannot be reached: ${why}.`,
    "Start it with npx @orra/plan-engine, or correct server_addr of the project in the configuration file.",
  )

/** Why a connection failed: what fetch says of itself is only that it did. */
function reason(error: unknown): string {
  const { cause } = error as { cause?: NodeJS.ErrnoException & { errors?: readonly Error[] } }
  return cause?.code ?? cause?.errors?.[0]?.message ?? cause?.message ?? (error as Error).message
}

interface ErrorBody {
  readonly error?: { readonly kind?: string; readonly code?: string; readonly message?: string }
}

function refused(server: string, path: string, { status }: Response, text: string): CliError {
  let body: ErrorBody = {}
  try {
    body = JSON.parse(text) as ErrorBody
  } catch {
    // An empty 403, or the text of a router: the status says what there is to say.
  }
  const { code, message } = body.error ?? {}
  const [, part = ""] = path.split("/")
  if (status === 403 && message === undefined && part === "register")
    return new CliError(
      "not_allowed",
      `The engine at ${server} lets nobody register projects from here.`,
      "Do it on the engine's machine, or set ORRA_ADMIN_KEY to the engine's admin key.",
    )
  if (status === 401 || (status === 403 && message === undefined))
    return new CliError(
      "not_allowed",
      `The engine at ${server} does not accept the key.`,
      "It may have been revoked, or the project belongs to another engine. Look at orra projects ls, or add the project anew: orra projects add <name>",
    )
  if (status === 404 && message === undefined)
    return new CliError(
      "route_unknown",
      `What answers at ${server} does not know this request.`,
      "It may be another program, or an engine that is older than this command: look with orra version",
    )
  if (status === 404) return new CliError(code ?? "http_404", message ?? "", LISTS[part])
  return engineError(code ?? `http_${status}`, message ?? `The engine at ${server} answered ${status}.`)
}

/** What the engine says is wrong, with what to do about it. */
export const engineError = (code: string, message: string): CliError =>
  new CliError(code, message, HINTS[code])

/** Where to look for what is there, by the first part of the path. */
const LISTS: Readonly<Record<string, string>> = {
  apikeys: "See them: orra api-keys ls",
  webhooks: "See them: orra webhooks ls",
  "compensation-failure-webhooks": "See them: orra comp-fail webhooks ls",
  services: "See them: orra services ls",
  groundings: "See them: orra grounding ls",
  orchestrations: "See them: orra ps",
  "compensation-failures": "See them: orra comp-fail ls --all",
}

const HINTS: Readonly<Record<string, string>> = {
  "Orra:ActionNotActionable":
    "Say more of what is wanted, or start services that can do it: orra services ls",
  "Orra:ActionCannotExecute": "See which services there are, and that they are connected: orra services ls",
  "Orra:ScopeMissing": "The key of this command line may do less than that: use another project or engine.",
}

function parsed(server: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notReached(server, "what answers there is no plan engine")
  }
}
