import ipaddr from "ipaddr.js"
import { WebError } from "./errors.ts"

/** Which addresses may be reached. */
export interface AddressOptions {
  /**
   * What may be reached although it is not public. Default: none.
   * - `"10.1.0.0/16"`, `"127.0.0.1"`, `"fd00::/8"`: these addresses, whatever name leads to them;
   * - `"wiki.corp"`, `"*.corp"`: this name, or all names below, at loopback and private addresses too, but
   *   never at link-local ones, where clouds keep credentials.
   */
  readonly allow?: readonly string[]
  /** Ports that may be reached. Default 80, 443, 8000, 8080, 8443. */
  readonly ports?: readonly number[]
}

/** The rules of one fetcher, read once from its options. */
export interface AddressRules {
  readonly ranges: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[]
  readonly names: ReadonlySet<string>
  readonly suffixes: readonly string[]
  readonly ports: ReadonlySet<number>
}

const PORTS = [80, 443, 8000, 8080, 8443]
/** Longer than any page needs, short enough to keep messages readable. */
const MAX_URL = 4_000

/** @throws WebError (`url_invalid`) naming the entry of `allow` or the port that is not one. */
export function addressRules(options: AddressOptions = {}): AddressRules {
  const ranges: (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[] = []
  const names = new Set<string>()
  const suffixes: string[] = []
  for (const entry of options.allow ?? []) {
    const range = readRange(entry)
    if (range) ranges.push(range)
    else if (entry.startsWith("*.")) suffixes.push(`.${readName(entry.slice(2), entry)}`)
    else names.add(readName(entry, entry))
  }
  const ports = options.ports ?? PORTS
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new WebError("url_invalid", `${port} is not a port: use a number from 1 to 65535.`)
  }
  return { ranges, names, suffixes, ports: new Set(ports) }
}

function readRange(entry: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  const bare = entry.replace(/^\[(.*)\]$/, "$1")
  if (ipaddr.isValidCIDR(bare)) return ipaddr.parseCIDR(bare)
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined
  const address = ipaddr.process(bare)
  return [address, address.kind() === "ipv4" ? 32 : 128]
}

function readName(name: string, entry: string): string {
  const url = URL.parse(`http://${name}/`)
  if (!url || url.host !== url.hostname || url.pathname !== "/" || url.username || /[/?#@:*\s]/.test(name)) {
    throw new WebError(
      "url_invalid",
      `"${entry}" cannot be allowed: give a host name, "*." and a domain, an address, or a CIDR such as 10.0.0.0/8.`,
    )
  }
  return bareHost(url)
}

/**
 * The address a model or a redirect gave, in its one normal form: whatever spelling of a number, full-width digit
 * or escape it used, `hostname` is now what would be connected to.
 *
 * @throws WebError `url_invalid`, or `address_refused` when its port is not allowed.
 */
export function readUrl(text: string, rules: AddressRules, base?: URL): URL {
  if (text.length > MAX_URL) {
    throw new WebError("url_invalid", `The URL is longer than ${MAX_URL} characters: give a shorter one.`)
  }
  const url = URL.parse(text, base?.href)
  if (!url)
    throw new WebError(
      "url_invalid",
      base
        ? "The server redirects to something that is not a URL. Try another page."
        : `Not a URL: ${quote(text)}. Give a whole one, such as https://example.com/.`,
    )
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new WebError("url_invalid", `Only http and https can be fetched, not ${quote(url.protocol)}.`)
  }
  if (url.username || url.password) {
    throw new WebError(
      "url_invalid",
      "The URL holds a user name or a password: leave out what is before the @.",
    )
  }
  const port = portOf(url)
  if (!rules.ports.has(port)) {
    throw new WebError(
      "address_refused",
      `Port ${port} may not be reached, only ${[...rules.ports].join(", ")}. Use another URL.`,
      { host: url.hostname, port },
    )
  }
  return url
}

/** The port that will be connected to. */
export const portOf = (url: URL): number => Number(url.port || (url.protocol === "https:" ? 443 : 80))

/** The host without brackets and without the root's dot. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")

/** The address when the host is one, so that it needs no look-up. */
export const literalAddress = (url: URL): string | undefined =>
  ipaddr.isValid(bareHost(url)) ? bareHost(url) : undefined

/**
 * Whether this address may be connected to for this URL.
 *
 * @throws WebError (`address_refused`). The message does not hold the address a name led to: what runs where in a
 * private network is nobody's business.
 */
export function checkAddress(address: string, url: URL, rules: AddressRules): void {
  const host = bareHost(url)
  const kind = addressKind(address)
  if (kind === "public" || inRanges(address, rules)) return
  const named = rules.names.has(host) || rules.suffixes.some((suffix) => host.endsWith(suffix))
  if (named && PRIVATE.has(kind)) return
  throw new WebError(
    "address_refused",
    `${quote(host)} is not on the public internet (${kind}): it may not be fetched. Use a public address.`,
    { host, kind },
  )
}

/** Where an intranet can be. What an allowed name may not lead to is missing here: linkLocal above all. */
const PRIVATE: ReadonlySet<string> = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"])

/** Public by number, and yet a cloud's own service that hands out secrets: Azure's wire server. */
const CLOUD_SERVICES: ReadonlySet<string> = new Set(["168.63.129.16"])

/** "public", or the name of the special range the address is in. */
export function addressKind(address: string): string {
  if (!ipaddr.isValid(address)) return "invalid"
  const parsed = ipaddr.process(address)
  const range = parsed.range()
  if (range !== "unicast") return range
  if (CLOUD_SERVICES.has(parsed.toString())) return "cloud service"
  // All of IPv6 that was ever given out is 2000::/3 (RFC 4291, 2.4). The rest has old forms in it that still
  // lead to IPv4 addresses, such as ::7f00:1.
  if (parsed instanceof ipaddr.IPv6 && ((parsed.parts[0] ?? 0) & 0xe000) !== 0x2000) return "reserved"
  return "public"
}

function inRanges(address: string, { ranges }: AddressRules): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits]))
}

/** Text from outside in a message: on one line and short. */
export const quote = (text: string): string => {
  const line = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  return line.toWellFormed()
}
