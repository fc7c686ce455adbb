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
    throw unreachable()
  }
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as T
  throw refusal(path, response.status, answer)
}

/**
 * Posts a large body. `onProgress` is told which share of it has gone, from 0 to 1, which `fetch` cannot say.
 *
 * @throws ApiError
 */
export function upload(path: string, body: unknown, onProgress: (share: number) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sending = new XMLHttpRequest()
  sending.open("POST", path)
  sending.responseType = "json"
  sending.setRequestHeader("content-type", "application/json")
  sending.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total)
  sending.onerror = () => reject(unreachable())
  sending.onload = () => {
    const { status, response } = sending
    if (status >= 200 && status < 300) resolve()
    else reject(refusal(path, status, response))
  }
  sending.send(JSON.stringify(body))
  return promise
}

const unreachable = (): ApiError => new ApiError("offline", "Herald cannot be reached.")

function refusal(path: string, status: number, answer: unknown): ApiError {
  const { code = "internal", error = `The server answered ${status}.`, requestId } = asError(answer)
  if (status === 401 && path !== "/api/login") for (const listener of onUnauthorized) listener()
  return new ApiError(code, error, status, requestId)
}

function asError(answer: unknown): { code?: string; error?: string; requestId?: string } {
  return typeof answer === "object" && answer !== null ? answer : {}
}
