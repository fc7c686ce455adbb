import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import { BlockList, isIP } from "node:net"
import { OrraError } from "@orra/core"

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

/** Whether what listens on this host is reached from this machine alone. */
export const isLoopback = (host: string): boolean => LOOPBACK.includes(host) || host === "::1"

/**
 * Judges requests by where they come from, before anybody looks at their credentials: a page of another site, or
 * a name that was made to point here, is refused even with the right cookie.
 */
export class Guard {
  readonly #secure: boolean
  readonly #hosts: ReadonlySet<string>
  readonly #proxies = new BlockList()

  /** @throws OrraError `proxy_invalid` for a trusted proxy that is no address or range. */
  constructor({ host, secure, allowedHosts, trustedProxies }: GuardOptions) {
    this.#secure = secure
    const own = isIP(host) === 6 ? `[${host}]` : host
    this.#hosts = new Set([...LOOPBACK, own, ...allowedHosts].map((name) => withoutPort(name.toLowerCase())))
    for (const proxy of trustedProxies) this.#trust(proxy)
  }

  /** Who calls, or why they may not. */
  caller({
    headers,
    headersDistinct,
    socket,
  }: Pick<IncomingMessage, "headers" | "headersDistinct" | "socket">): Caller | Refusal {
    const host = headers.host?.toLowerCase()
    // Two of them may mean one thing to a proxy and another to us (RFC 9112, section 3.2).
    if (host === undefined || headersDistinct["host"]?.length !== 1) {
      return { status: 400, code: "host_missing", error: "Send one Host header." }
    }
    const name = withoutPort(host)
    if (!this.#hosts.has(name)) {
      const error = `This server is not called "${name}". Add the name to the allowed hosts if it should be.`
      return { status: 403, code: "host_not_allowed", error }
    }
    const peer = plainAddress(socket.remoteAddress ?? "")
    const proxied = this.#isTrusted(peer)
    const proto = proxied ? listed(headers["x-forwarded-proto"]).at(-1) : undefined
    const secure = this.#secure || proto === "https"
    const address = proxied ? this.#client(peer, listed(headers["x-forwarded-for"])) : peer
    return { address, secure, origin: `${secure ? "https" : "http"}://${host}` }
  }

  /**
   * Why a request may not: it comes from another site. One that `mustSay` so (it changes something, or opens a
   * socket, with a login that the browser adds by itself) has to name our page as its origin.
   */
  crossSite(headers: IncomingHttpHeaders, caller: Caller, mustSay: boolean): Refusal | undefined {
    const { origin } = headers
    const site = headers["sec-fetch-site"]
    const foreign = origin === undefined ? mustSay : origin !== caller.origin
    if (!foreign && (site === undefined || site === "same-origin" || site === "none")) return undefined
    return { status: 403, code: "cross_site", error: "This request comes from another site, and is refused." }
  }

  #trust(proxy: string): void {
    const [address = "", bits] = proxy.split("/")
    try {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4"
      if (bits === undefined) this.#proxies.addAddress(address, family)
      else this.#proxies.addSubnet(address, Number(bits), family)
    } catch (error) {
      throw new OrraError(
        "proxy_invalid",
        `"${proxy}" is no trusted proxy: name an address or a range, as 10.0.0.7 or 10.0.0.0/8.`,
        { proxy },
        error,
      )
    }
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address)
    return family !== 0 && this.#proxies.check(address, family === 6 ? "ipv6" : "ipv4")
  }

  /** Each proxy adds the address it was called from: the last one that is no proxy of ours is the client. */
  #client(peer: string, forwarded: readonly string[]): string {
    let client = peer
    for (const said of forwarded.toReversed()) {
      const address = plainAddress(said)
      if (isIP(address) === 0) break
      client = address
      if (!this.#isTrusted(address)) break
    }
    return client
  }
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, "")

/** An IPv4 address that was written as IPv6, as it is. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "")

const listed = (header: string | readonly string[] | undefined): readonly string[] =>
  String(header ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
