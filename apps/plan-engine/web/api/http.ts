/** What the engine refused, with its words. `status` is that of HTTP. */
export class ApiFailure extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Asked {
  readonly method?: "GET" | "POST" | "DELETE"
  readonly body?: unknown
  /** In the place of `body`. */
  readonly yaml?: string
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

/** @throws ApiFailure when the engine refuses; TypeError when it is not there. */
export async function request(key: string, path: string, asked: Asked = {}): Promise<Response> {
  const { method = "GET", body, yaml, signal, headers } = asked
  const sent = yaml ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(path, {
    method,
    headers: {
      ...headers,
      ...(yaml !== undefined && { "content-type": "application/yaml" }),
      ...(key !== "" && { authorization: `Bearer ${key}` }),
    },
    cache: "no-store",
    ...(signal && { signal }),
    ...(sent !== undefined && { body: sent }),
  })
  if (response.ok) return response
  const text = await response.text()
  throw new ApiFailure(response.status, said(text) ?? meant(response.status))
}

/** @returns what the engine answered, as `T` says; undefined for an answer without a body. */
export async function ask<T>(key: string, path: string, asked?: Asked): Promise<T> {
  const text = await (await request(key, path, asked)).text()
  return (text === "" ? undefined : JSON.parse(text)) as T
}

function said(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: { message?: string } }).error?.message
  } catch {
    return undefined
  }
}

const meant = (status: number): string =>
  status === 401 || status === 403 ? "The key is not right." : `The engine answered with status ${status}.`
