/** A picture as models take it. */
export interface Picture {
  readonly mediaType: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
  readonly width: number
  readonly height: number
  /** Its end is there. Services refuse a request with a picture that breaks off, and every later one of the session. */
  readonly complete: boolean
}

/** What kind of picture begins with these bytes; undefined for none. Enough to tell are the first 16. */
export function pictureType(bytes: Uint8Array): Picture["mediaType"] | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString("latin1")
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png"
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg"
  if (/^GIF8[79]a/.test(head)) return "image/gif"
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "image/webp"
  return undefined
}

/** Size and completeness of a picture; undefined when its head is broken. */
export function pictureOf(bytes: Buffer): Picture | undefined {
  const mediaType = pictureType(bytes)
  const size = mediaType && SIZES[mediaType](bytes)
  return mediaType && size && size.width > 0 && size.height > 0 ? { mediaType, ...size } : undefined
}

type Size = Omit<Picture, "mediaType">

const SIZES: Readonly<Record<Picture["mediaType"], (bytes: Buffer) => Size | undefined>> = {
  // PNG (ISO/IEC 15948): IHDR comes first, IEND last.
  "image/png": (bytes) =>
    bytes.length < 45 || bytes.toString("latin1", 12, 16) !== "IHDR"
      ? undefined
      : {
          width: bytes.readUInt32BE(16),
          height: bytes.readUInt32BE(20),
          complete: bytes.includes("IEND", 33, "latin1"),
        },
  // GIF89a: the trailer is one byte, some writers pad it.
  "image/gif": (bytes) =>
    bytes.length < 14
      ? undefined
      : {
          width: bytes.readUInt16LE(6),
          height: bytes.readUInt16LE(8),
          complete: bytes.includes(0x3b, bytes.length - 16),
        },
  "image/jpeg": jpegSize,
  "image/webp": webpSize,
}

/** JPEG (ITU-T T.81): the first frame header (SOF) after any number of other segments. */
function jpegSize(bytes: Buffer): Size | undefined {
  let at = 2
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes.readUInt8(at + 1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) {
      const complete = bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) > at
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5), complete }
    }
    // Any number of fill bytes may stand before a marker.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

/** WebP (RFC 9649): lossy, lossless or extended. */
function webpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30) return undefined
  const complete = bytes.length >= bytes.readUInt32LE(4) + 8
  switch (bytes.toString("latin1", 12, 16)) {
    case "VP8 ":
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff, complete }
    case "VP8L": {
      const bits = bytes.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, complete }
    }
    case "VP8X":
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1, complete }
    default:
      return undefined
  }
}
