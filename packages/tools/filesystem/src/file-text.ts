/** How a text file is written: kept when it is changed. */
export interface TextForm {
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be"
  readonly bom: boolean
}

const UTF8: TextForm = { encoding: "utf-8", bom: false }
const MARKS: readonly (readonly [mark: readonly number[], form: TextForm])[] = [
  [[0xef, 0xbb, 0xbf], { encoding: "utf-8", bom: true }],
  [[0xff, 0xfe], { encoding: "utf-16le", bom: true }],
  [[0xfe, 0xff], { encoding: "utf-16be", bom: true }],
]

/** The form that a file's first bytes say it has: UTF-8 unless a byte order mark says UTF-16. */
export const formOf = (bytes: Uint8Array): TextForm =>
  MARKS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte))?.[1] ?? UTF8

/** The text without its byte order mark; undefined for what is no text in its form. Exact: `encodeText` gives the bytes back. */
export function decodeText(
  bytes: Uint8Array,
): { readonly text: string; readonly form: TextForm } | undefined {
  const form = formOf(bytes)
  if (form.encoding === "utf-8" && bytes.includes(0)) return undefined
  try {
    return { text: new TextDecoder(form.encoding, { fatal: true }).decode(bytes), form }
  } catch {
    return undefined
  }
}

export function encodeText(text: string, { encoding, bom }: TextForm): Buffer {
  const whole = bom ? `\uFEFF${text}` : text
  if (encoding === "utf-8") return Buffer.from(whole, "utf8")
  const bytes = Buffer.from(whole, "utf16le")
  return encoding === "utf-16be" ? bytes.swap16() : bytes
}

/** The line ending of a text: CRLF when every line of it ends so. */
export function lineEnding(text: string): "\n" | "\r\n" {
  let index = text.indexOf("\n")
  if (index < 0) return "\n"
  for (; index >= 0; index = text.indexOf("\n", index + 1)) if (text[index - 1] !== "\r") return "\n"
  return "\r\n"
}

export const withLineEnding = (text: string, ending: "\n" | "\r\n"): string =>
  ending === "\n" ? text : text.replace(/\r?\n/g, "\r\n")

/** "512B", "2.0KB", "3.0MB", "1.5GB". */
export function sizeText(bytes: number): string {
  const units = ["KB", "MB", "GB"]
  let value = bytes
  let unit = "B"
  while (value >= 1_024 && units.length > 0) {
    value /= 1_024
    unit = units.shift() ?? unit
  }
  return unit === "B" ? `${value}B` : `${value.toFixed(1)}${unit}`
}
