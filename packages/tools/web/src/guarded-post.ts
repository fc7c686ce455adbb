import { addressRules, readUrl } from "./address.ts"
import { exchange } from "./exchange.ts"
import { checkedAddresses, type GuardedResponse, type GuardOptions, startClock } from "./guarded-fetch.ts"

export interface PostOptions extends Omit<GuardOptions, "maxRedirects"> {
  /** They may hold credentials: nobody but the host of the address gets them. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Closes the connection; the post throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * POSTs to a URL that somebody not trusted chose, and to nothing but the public internet: checked as {@link guardedFetch}
 * does. A redirect is not followed, it is the answer. No cookies, no proxy.
 *
 * ```ts
 * const { status } = await guardedPost(endpoint, { body, headers: { authorization }, ports: [443] })
 * ```
 *
 * @throws WebError see {@link WebErrorCode}; the reason of `signal` when that fires.
 */
export async function guardedPost(address: string, options: PostOptions): Promise<GuardedResponse> {
  const rules = addressRules(options)
  const url = readUrl(address, rules)
  using clock = startClock(options)
  const { signal } = clock
  try {
    const addresses = await checkedAddresses(url, rules, options.resolve, signal)
    const { body, headers = {} } = options
    const sent = await exchange(url, addresses, { headers, body, signal })
    try {
      clock.progress()
      return { ...sent.head, ...(await sent.read(options.maxBytes ?? 5_000_000, clock.progress)) }
    } finally {
      await sent.close()
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}
