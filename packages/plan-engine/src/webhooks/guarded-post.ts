import { lookup as systemLookup } from "node:dns"
import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import type { LookupFunction } from "node:net"
import { OrraError } from "@orra/core"
import ipaddr from "ipaddr.js"

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** Whether loopback, private and link-local addresses may be reached. */
  readonly allowInternal: boolean
  /** Default the system's. */
  readonly lookup?: LookupFunction
}

/**
 * POSTs to an address that somebody not trusted chose. The connection goes to the addresses that were checked, so that a name that
 * changes its mind changes nothing; redirects are not followed.
 *
 * @returns the status; the body is not read.
 * @throws OrraError `plan_webhook_internal` for an address that is not public; whatever the connection fails with.
 */
export async function guardedPost(address: string, options: PostOptions): Promise<number> {
  const { headers, body, signal, allowInternal, lookup = systemLookup as LookupFunction } = options
  const url = new URL(address)
  const literal = url.hostname.replace(/^\[(.*)\]$/, "$1")
  // A name is looked up by the connection, an address is not.
  if (!allowInternal && ipaddr.isValid(literal)) assertPublic(literal, url)
  const checked: LookupFunction = (hostname, how, done) =>
    lookup(hostname, how, (error, found, family) => {
      // Of a name that is not known, nothing was found.
      if (error) return done(error, found, family)
      try {
        const addresses = typeof found === "string" ? [found] : found.map((each) => each.address)
        if (!allowInternal) for (const each of addresses) assertPublic(each, url)
        done(error, found, family)
      } catch (refused) {
        done(refused as Error, "")
      }
    })
  return await new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest
    const length = String(Buffer.byteLength(body))
    const sent = send(url, {
      method: "POST",
      agent: false,
      headers: { ...headers, "content-length": length },
      lookup: checked,
      signal,
    })
    sent.on("error", reject)
    sent.on("response", (response) => {
      response.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.end(body)
  })
}

function assertPublic(address: string, { host }: URL): void {
  if (ipaddr.process(address).range() === "unicast") return
  throw new OrraError(
    "plan_webhook_internal",
    `The webhook at ${host} is not at a public address: nothing was sent. Start the engine with webhooks.allowInternal if that is meant.`,
    { host },
  )
}
