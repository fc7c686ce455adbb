import type { Incoming } from "./dispatch.ts"

/** A response whose status is not 2xx, with its body, which the SDKs would throw away when it is not their own. */
export class HttpFailure extends Error {
  readonly status: number
  readonly headers: Incoming["headers"]
  readonly body: string

  constructor(status: number, headers: Incoming["headers"], body: string) {
    super(`HTTP ${status}`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

const MAX_ERROR_BODY = 65_536

/** A good response. @throws HttpFailure for any other. */
export async function checked<R extends Incoming>(response: R): Promise<R> {
  const { status, headers } = response
  if (status >= 200 && status < 300) return response
  throw new HttpFailure(status, headers, (await response.text()).slice(0, MAX_ERROR_BODY))
}

/** `fetch` that throws an HttpFailure where fetch would return an error status. */
export const checkedFetch =
  (inner: typeof fetch | undefined): typeof fetch =>
  async (input, init) =>
    await checked(await (inner ?? globalThis.fetch)(input, init))

/** Finds an error of a class behind the wrappers that SDKs and fetch put around it. */
export function findCause<T>(error: unknown, type: abstract new (...args: never[]) => T): T | undefined {
  for (let depth = 0; depth < 5 && error !== undefined; depth++) {
    if (error instanceof type) return error
    error = error instanceof Error ? error.cause : undefined
  }
  return undefined
}
