/** A response whose status is not 2xx, with its body, which the SDKs would throw away when it is not their own. */
export class HttpFailure extends Error {
  readonly status: number
  readonly headers: Headers
  readonly body: string

  constructor(status: number, headers: Headers, body: string) {
    super(`HTTP ${status}`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

const MAX_ERROR_BODY = 65_536

/** `fetch` that throws an HttpFailure where fetch would return an error status. */
export const checkedFetch =
  (inner: typeof fetch | undefined): typeof fetch =>
  async (input, init) => {
    const response = await (inner ?? globalThis.fetch)(input, init)
    if (response.ok) return response
    throw new HttpFailure(response.status, response.headers, (await response.text()).slice(0, MAX_ERROR_BODY))
  }

/** Finds an error of a class behind the wrappers that SDKs and fetch put around it. */
export function findCause<T>(error: unknown, type: abstract new (...args: never[]) => T): T | undefined {
  for (let depth = 0; depth < 5 && error !== undefined; depth++) {
    if (error instanceof type) return error
    error = error instanceof Error ? error.cause : undefined
  }
  return undefined
}
