import type { IncomingHttpHeaders } from "node:http"
import { BlockList, isIP } from "node:net"

/** What a request says about where it comes from. */
export interface Caller {
  /** The client's address: the peer's, or what a trusted proxy says. */
  readonly address: string
  /** `http://host:port` as the client sees it: the only origin that pages may have. */
  readonly origin: string
  readonly secure: boolean
}

export interface GuardOptions {
  readonly host: string
  readonly secure: boolean
  readonly allowedHosts: readonly string[]
  /** Addresses and CIDR ranges of proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[]
}

export type Refusal = { readonly status: 400 | 403; readonly code: string; readonly error: string }

/** Names of this machine. Every other spelling of its addresses is refused: nothing but an attack uses them. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]

export const isLoopback = (host: string): boolean => LOOPBACK.includes(host) || host === "::1"

/**
 * Judges requests by where they come from, before anybody looks at their credentials: a page of another site, or
 * a name that was made to point here, is refused even with the right cookie.
 */
export class Guard {
  readonly #options: GuardOptions
  readonly #hosts: ReadonlySet<string>
  readonly #proxies = new BlockList()

  constructor(options: GuardOptions) {
    this.#options = options
    const own = isIP(options.host) === 6 ? `[${options.host}]` : options.host
    this.#hosts = new Set([...LOOPBACK, own, ...options.allowedHosts].map((host) => host.toLowerCase()))
    for (const proxy of options.trustedProxies) {
      const [address = "", bits] = proxy.split("/")
      const family = isIP(address) === 6 ? "ipv6" : "ipv4"
      if (bits === undefined) this.#proxies.addAddress(address, family)
      else this.#proxies.addSubnet(address, Number(bits), family)
    }
  }

  /** Who calls, or why they may not. */
  caller(headers: IncomingHttpHeaders, peer: string): Caller | Refusal {
    const host = headers.host?.toLowerCase()
    if (host === undefined) return { status: 400, code: "host_missing", error: "The Host header is missing." }
    const name = host.replace(/:\d+$/, "")
    if (!this.#hosts.has(name)) {
      const error = `This server is not called "${name}". Add the name to the allowed hosts if it should be.`
      return { status: 403, code: "host_not_allowed", error }
    }
    const proxied = this.#isTrusted(peer)
    const forwarded = (key: string) =>
      (proxied
        ? String(headers[key] ?? "")
            .split(",")
            .at(-1)
            ?.trim()
        : "") || undefined
    const secure = this.#options.secure || forwarded("x-forwarded-proto") === "https"
    const address = forwarded("x-forwarded-for") ?? peer
    return { address, secure, origin: `${secure ? "https" : "http"}://${host}` }
  }

  /**
   * Why a request that changes something, or opens a socket, may not: it comes from another site. A login held by
   * a cookie must say that it comes from our page; a program with a bearer key says nothing.
   */
  crossSite(headers: IncomingHttpHeaders, caller: Caller, byCookie: boolean): Refusal | undefined {
    const { origin } = headers
    const site = headers["sec-fetch-site"]
    const foreign = origin !== undefined && origin !== caller.origin
    const unsaid = byCookie && origin === undefined
    if (!foreign && !unsaid && (site === undefined || site === "same-origin" || site === "none"))
      return undefined
    return { status: 403, code: "cross_site", error: "This request comes from another site, and is refused." }
  }

  #isTrusted(peer: string): boolean {
    const address = peer.replace(/^::ffff:(?=\d+\.)/, "")
    return this.#proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4")
  }
}
