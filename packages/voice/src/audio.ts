/** What services write down. */
export type AudioFormat = "wav" | "mp3" | "flac" | "ogg" | "webm" | "mp4"

/** What services say something in. `pcm` is 16-bit samples without a header. */
export type SpeechFormat = "mp3" | "opus" | "aac" | "flac" | "wav" | "pcm"

const BEGINNINGS: readonly (readonly [AudioFormat | "aac", (head: string) => boolean])[] = [
  ["wav", (head) => head.startsWith("RIFF") && head.endsWith("WAVE")],
  ["flac", (head) => head.startsWith("fLaC")],
  ["ogg", (head) => head.startsWith("OggS")],
  ["webm", (head) => head.startsWith("\x1a\x45\xdf\xa3")],
  ["mp4", (head) => head.startsWith("ftyp", 4)],
  ["mp3", (head) => head.startsWith("ID3")],
  // ADTS: the sync word, and layer 0, which MPEG audio has not.
  ["aac", (head) => head.charCodeAt(0) === 0xff && (head.charCodeAt(1) & 0xf6) === 0xf0],
  ["mp3", (head) => head.charCodeAt(0) === 0xff && (head.charCodeAt(1) & 0xe0) === 0xe0],
]

/** What these bytes begin like; undefined for nothing known. */
export function beginsLike(bytes: Uint8Array): AudioFormat | "aac" | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12))
  return BEGINNINGS.find(([, matches]) => matches(head))?.[0]
}

/** Whether audio in this format can begin with these bytes. Samples without a header can be anything but text. */
export function isSpeech(format: SpeechFormat, bytes: Uint8Array): boolean {
  const like = beginsLike(bytes)
  if (format === "pcm") return like === undefined && bytes.length > 0
  return like === (format === "opus" ? "ogg" : format)
}

const USUAL: Readonly<Record<SpeechFormat, number>> = {
  opus: 48_000,
  aac: 44_100,
  flac: 44_100,
  mp3: 24_000,
  wav: 24_000,
  pcm: 24_000,
}

/** In Hz, from the header of WAV, FLAC and MP3; else, or where that is broken, what services usually make. */
export function sampleRateOf(format: SpeechFormat, data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const said = view.byteLength < 44 ? 0 : (READ[format]?.(view) ?? 0)
  return said > 0 ? said : USUAL[format]
}

const READ: Partial<Record<SpeechFormat, (view: DataView) => number>> = {
  // The chunk "fmt " comes first in what services make.
  wav: (view) => (view.getUint32(12) === 0x666d7420 ? view.getUint32(24, true) : 0),
  // The 20 bits after the sizes of STREAMINFO.
  flac: (view) => view.getUint32(18) >>> 12,
  mp3: mp3Rate,
}

/** By MPEG version: 2.5, reserved, 2, 1. */
const MP3_RATES = [[11_025, 12_000, 8_000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]]

function mp3Rate(view: DataView): number {
  const isTagged = view.getUint8(0) === 0x49
  // Of a tag's length seven bits of each byte count.
  const length = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + (view.getUint8(at) & 0x7f), 0)
  const at = isTagged ? 10 + length : 0
  if (at + 3 > view.byteLength || view.getUint8(at) !== 0xff) return 0
  return MP3_RATES[(view.getUint8(at + 1) >> 3) & 3]?.[(view.getUint8(at + 2) >> 2) & 3] ?? 0
}
