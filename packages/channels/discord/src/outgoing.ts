import { inCode } from "./approval-message.ts"
import type { Place } from "./reply.ts"

/** A file that belongs to an answer. */
export interface OutgoingFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** Where it can be had, when it is larger than Discord takes. */
  readonly url?: string
}

/** Source: Discord's API, Uploading Files: without a boosted server. */
const MAX_BYTES = 10 * 1_048_576
const MAX_FILES = 10

/** Posts files below an answer, each in a message of its own; of one that is too large where it is. */
export async function postFiles(place: Place, files: readonly OutgoingFile[]): Promise<void> {
  for (const { name, bytes, url } of files.slice(0, MAX_FILES)) {
    if (bytes.length <= MAX_BYTES) await place.post("", false, { name, bytes: Buffer.from(bytes) })
    else await place.post(tooLarge(name, bytes.length, url), false)
  }
}

const tooLarge = (name: string, bytes: number, url: string | undefined): string =>
  `${inCode(name).slice(0, 100)} has ${(bytes / 1_048_576).toFixed(1)} MB, more than Discord takes${url === undefined ? "." : `: <${url}>`}`
