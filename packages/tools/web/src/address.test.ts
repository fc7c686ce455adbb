import fc from "fast-check"
import { expect, test } from "vitest"
import { addressKind, addressRules, bareHost, checkAddress, literalAddress, readUrl } from "./address.ts"
import { WebError } from "./errors.ts"

const rules = addressRules()

/** What happens to a URL whose host needs no look-up. */
function verdict(text: string, within = rules): string {
  try {
    const url = readUrl(text, within)
    const literal = literalAddress(url)
    if (literal === undefined) return `look up ${bareHost(url)}`
    checkAddress(literal, url, within)
    return literal
  } catch (error) {
    if (error instanceof WebError) return error.code
    throw error
  }
}

const LOOPBACK = `127.0.0.1 127.1 127.0.1 127.0.0.1. 127.000.000.001 0x7f.1 0x7f.0x0.0x0.0x1 0X7F000001 2130706433
  017700000001 0177.0.0.1 0177.0x0.1 127.255.255.254 １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 %31%32%37.0.0.1
  ①②⑦.⓪.⓪.① 0 0.0.0.0 0x0 [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
  [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1] [64:ff9b::7f00:1]
  [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2001:0:1::]`
const INSIDE = `10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 0xc0a80001 3232235521 100.64.0.1
  169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 100.100.100.200 192.0.0.192 168.63.129.16
  0xa83f8110 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
  [::ffff:10.0.0.1] [::ffff:a9fe:a9fe] [fe80::1] [febf::1] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [100::1]
  [2001:db8::1] [3fff::1] [5f00::1] [4000::1] [::10.0.0.1] [::ffff:168.63.129.16]`
const words = (text: string) => text.trim().split(/\s+/)

test.each([...words(LOOPBACK), ...words(INSIDE)])(
  "refuses %s, which is not on the public internet",
  (host) => {
    expect(verdict(`http://${host}/`)).toBe("address_refused")
    expect(verdict(`https://${host}:8443/latest/meta-data`)).toBe("address_refused")
  },
)

test.each([
  ["http://8.8.8.8/", "8.8.8.8"],
  ["http://0x08080808/", "8.8.8.8"],
  ["http://172.15.0.1/", "172.15.0.1"],
  ["http://172.32.0.1/", "172.32.0.1"],
  ["http://[2606:4700::1111]/", "2606:4700::1111"],
  ["http://[::ffff:8.8.8.8]/", "::ffff:808:808"],
])("allows %s", (url, address) => {
  expect(verdict(url)).toBe(address)
})

test.each([
  ["http:\\\\127.0.0.1\\", "address_refused"],
  ["http:/127.0.0.1/", "address_refused"],
  ["http:127.0.0.1", "address_refused"],
  ["  http://127.0.0.1/\n", "address_refused"],
  ["ht\ntp://12\t7.0.0.1/", "address_refused"],
  ["http://127.0.0.1#@a.example/", "address_refused"],
  ["http://127.0.0.1?@a.example/", "address_refused"],
  ["http://127.0.0.1\\@a.example/", "address_refused"],
  ["http://a.example\\@127.0.0.1/", "look up a.example"],
  ["http://a.example#@127.0.0.1/", "look up a.example"],
  ["http://LOCALHOST./", "look up localhost"],
  ["http://a。example/", "look up a.example"],
  ["http://EXAMPLE.com./", "look up example.com"],
  ["http://a.example@127.0.0.1/", "url_invalid"],
  ["http://user:secret@a.example/", "url_invalid"],
  ["http://:@a.example/", "look up a.example"],
  ["http://%61@a.example/", "url_invalid"],
  ["http://[fe80::1%25eth0]/", "url_invalid"],
  ["http://[fe80::1%eth0]/", "url_invalid"],
  ["http://[::1/", "url_invalid"],
  ["http://127.0.0.256/", "url_invalid"],
  ["http://1.2.3.4.5/", "url_invalid"],
  ["http://0x7f.0.0.0.1/", "url_invalid"],
  ["http://4294967296/", "url_invalid"],
  ["http://a.example:99999/", "url_invalid"],
  ["http://a b.example/", "url_invalid"],
  ["http://a.example%2f@127.0.0.1/", "url_invalid"],
  ["http://", "url_invalid"],
  ["", "url_invalid"],
  ["a.example", "url_invalid"],
  ["//a.example/", "url_invalid"],
  ["file:///etc/passwd", "url_invalid"],
  ["ftp://a.example/", "url_invalid"],
  ["gopher://127.0.0.1:6379/_FLUSHALL", "url_invalid"],
  ["javascript:alert(1)", "url_invalid"],
  ["data:text/html,hi", "url_invalid"],
  ["blob:http://a.example/1", "url_invalid"],
  ["ws://a.example/", "url_invalid"],
  ["http://a.example:22/", "address_refused"],
  ["http://a.example:6379/", "address_refused"],
  [`http://a.example/${"x".repeat(5_000)}`, "url_invalid"],
])("reads %j as %s", (url, expected) => {
  expect(verdict(url)).toBe(expected)
})

test("never repeats a password", () => {
  expect(() => readUrl("http://user:hunter2@a.example/", rules)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
  )
})

const number = (value: number) =>
  fc.constantFrom(
    String(value),
    `0x${value.toString(16)}`,
    `0${value.toString(8)}`,
    `0X${value.toString(16)}`,
  )

test("S17: no spelling of an address changes what is decided about it", () => {
  const spelled = fc
    .tuple(fc.nat(0xffffffff), fc.nat(3))
    .chain(([address, dots]) => {
      const head = [24, 16, 8].slice(0, dots).map((shift) => (address >>> shift) & 0xff)
      const tail = dots === 0 ? address : address % 2 ** (32 - 8 * dots)
      const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".")
      return fc.tuple(fc.constant(dotted), ...[...head, tail].map(number), fc.constantFrom("", "."))
    })
    .map(([dotted, ...rest]) => ({ dotted, host: rest.slice(0, -1).join(".") + (rest.at(-1) ?? "") }))
  fc.assert(
    fc.property(spelled, ({ dotted, host }) => {
      expect(verdict(`http://${host}/`)).toBe(verdict(`http://${dotted}/`))
      // Every form of IPv6 with this address in it is decided the same way, or refused.
      const mapped = verdict(`http://[::ffff:${dotted}]/`)
      expect(mapped === "address_refused").toBe(verdict(`http://${dotted}/`) === "address_refused")
      expect(verdict(`http://[::${dotted}]/`)).toBe("address_refused")
    }),
  )
})

test("whatever is given, what comes out is http without credentials, or a clear error", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "http://",
      "https:",
      "@",
      "127.0.0.1",
      "\\",
      "//",
      "#",
      "?",
      "[::1]",
      "%00",
      "\u202e",
      "。",
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      try {
        const url = readUrl(pieces.join(""), rules)
        expect(url.protocol).toMatch(/^https?:$/)
        expect(url.username + url.password).toBe("")
      } catch (error) {
        expect(error).toBeInstanceOf(WebError)
        expect((error as Error).message.isWellFormed()).toBe(true)
      }
    }),
  )
})

test("what a resolver may answer", () => {
  expect(addressKind("8.8.8.8")).toBe("public")
  expect(addressKind("fe80::1%eth0")).toBe("linkLocal")
  expect(addressKind("127.0.0.1")).toBe("loopback")
  expect(addressKind("localhost")).toBe("invalid")
  expect(addressKind("")).toBe("invalid")
})

test("allows ranges, addresses, names and all below a name", () => {
  const allowing = (...allow: string[]) => {
    const open = addressRules({ allow })
    return (url: string, address: string) => {
      try {
        checkAddress(address, readUrl(url, open), open)
        return true
      } catch {
        return false
      }
    }
  }
  const range = allowing("10.1.0.0/16", "[::1]", "fd00::/8")
  expect(range("http://a.example/", "10.1.2.3")).toBe(true)
  expect(range("http://a.example/", "::ffff:10.1.2.3")).toBe(true)
  expect(range("http://a.example/", "10.2.0.1")).toBe(false)
  expect(range("http://a.example/", "::1")).toBe(true)
  expect(range("http://a.example/", "127.0.0.1")).toBe(false)
  expect(range("http://a.example/", "fd12::1")).toBe(true)

  const named = allowing("Wiki.Corp.", "*.intra.example")
  expect(named("http://wiki.corp/", "10.2.0.1")).toBe(true)
  expect(named("http://WIKI.corp./", "127.0.0.1")).toBe(true)
  expect(named("http://x.wiki.corp/", "10.2.0.1")).toBe(false)
  expect(named("http://a.b.intra.example/", "fd00::1")).toBe(true)
  expect(named("http://intra.example/", "fd00::1")).toBe(false)
  expect(named("http://evilintra.example/", "fd00::1")).toBe(false)
  // An intranet's name must not lead to a cloud's keys.
  expect(named("http://wiki.corp/", "169.254.169.254")).toBe(false)
  expect(named("http://wiki.corp/", "168.63.129.16")).toBe(false)
  expect(named("http://wiki.corp/", "0.0.0.0")).toBe(false)
})

test.each(["", "http://a/", "a/b", "a b", "10.0.0.0/33", "a:80", "*", "user@a", "*.", "[x]"])(
  "cannot allow %j",
  (entry) => {
    expect(() => addressRules({ allow: [entry] })).toThrow(expect.objectContaining({ code: "url_invalid" }))
  },
)
