/** File systems take names of 255 bytes; a part of a longer name is a directory of this length that ends with "+". */
const MAX_NAME = 200

/** What Windows keeps for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/
const PLAIN = /^[a-z0-9_-]$/
const BASE32 = "0123456789abcdefghijklmnopqrstuv"

/**
 * A text as names of nested directories, whatever is in it: "bob@Acme" is `["bob%40%41cme"]`. Two texts have the same
 * names only when they are the same, on file systems that take "A" for "a" or one way to write "é" for another as well,
 * and `fromNames` gives the text back. Lower-case letters, digits, "_" and "-" are themselves, other ASCII is "%"
 * and two hexadecimal digits, and a run of all else is its UTF-16 in base 32 (RFC 4648, extended hex) between two "=".
 */
export function toNames(text: string): readonly string[] {
  let name = ""
  let run = ""
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) {
      run += text[index]
      continue
    }
    name += base32(run)
    run = ""
    const char = text.charAt(index)
    name += PLAIN.test(char) ? char : escaped(code)
  }
  name += base32(run)
  if (DEVICE.test(name)) name = escaped(name.charCodeAt(0)) + name.slice(1)
  const names: string[] = []
  for (let at = 0; at < name.length; at += MAX_NAME) names.push(name.slice(at, at + MAX_NAME))
  return names.map((part, index) => (index < names.length - 1 ? `${part}+` : part))
}

/** The text of these names, or undefined when `toNames` never makes them. */
export function fromNames(names: readonly string[]): string | undefined {
  const name = names.map((part) => part.replace(/\+$/, "")).join("")
  const text = name.replace(/%([0-9a-f]{2})|=([0-9a-v]+)=/g, (_, hex?: string, run?: string) =>
    hex === undefined ? fromBase32(run ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  )
  const again = toNames(text)
  return again.length === names.length && again.every((part, index) => part === names[index])
    ? text
    : undefined
}

const escaped = (code: number): string => `%${code.toString(16).padStart(2, "0")}`

function base32(text: string): string {
  if (text === "") return ""
  let out = ""
  let bits = 0
  let value = 0
  for (let index = 0; index < text.length; index++) {
    value = (value << 16) | text.charCodeAt(index)
    bits += 16
    for (; bits >= 5; bits -= 5) out += BASE32.charAt((value >>> (bits - 5)) & 31)
    value &= (1 << bits) - 1
  }
  if (bits > 0) out += BASE32.charAt((value << (5 - bits)) & 31)
  return `=${out}=`
}

function fromBase32(text: string): string {
  let out = ""
  let bits = 0
  let value = 0
  for (const char of text) {
    value = (value << 5) | BASE32.indexOf(char)
    bits += 5
    if (bits < 16) continue
    bits -= 16
    out += String.fromCharCode((value >>> bits) & 0xffff)
    value &= (1 << bits) - 1
  }
  return out
}
