import { createHash } from "node:crypto"
import { canonicalJson, type Json } from "@orra/core"

/** The hash before the first entry of a log. */
export const FIRST_HASH = "0".repeat(64)

/** The hash of an entry: over the one before it and its canonical JSON (RFC 8785), hex. */
export const hashAfter = (before: string, entry: object): string =>
  createHash("sha256")
    .update(`${before}\n${canonicalJson(entry as Json)}`)
    .digest("hex")

/** Keys of the same length are in the order of their numbers. */
export const numberKey = (number: number): string => String(number).padStart(12, "0")
