/** An answer that is no success. `code` is the server's; `offline` when there was no answer at all. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly requestId: string | undefined

  constructor(code: string, message: string, status = 0, requestId?: string) {
    super(message)
    this.name = "ApiError"
    this.code = code
    this.status = status
    this.requestId = requestId
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"

/** Listeners for "nobody is logged in any more": any request can find out. */
const onUnauthorized = new Set<() => void>()

export function listenForLogout(listener: () => void): () => void {
  onUnauthorized.add(listener)
  return () => onUnauthorized.delete(listener)
}

/** @throws ApiError */
export async function request<T>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError("offline", "Herald cannot be reached.")
  }
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as T
  const error = asError(answer)
  if (response.status === 401 && path !== "/api/login") for (const listener of onUnauthorized) listener()
  throw new ApiError(
    error.code ?? "internal",
    error.error ?? `The server answered ${response.status}.`,
    response.status,
    error.requestId,
  )
}

function asError(answer: unknown): { code?: string; error?: string; requestId?: string } {
  return typeof answer === "object" && answer !== null ? answer : {}
}
