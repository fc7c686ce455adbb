import {
  everyItem,
  isObject,
  type Json,
  type Namespace,
  type Records,
  randomId,
  type SessionStore,
} from "@orra/core"
import { type Picture, pictureTypeOf } from "./provider.ts"

/** A picture that is kept. */
export interface StoredImage extends Picture {
  /** Unique in its namespace, like `image-0123456789abcdef.webp`. */
  readonly name: string
  /** ms since 1970. */
  readonly createdAt: number
}

/**
 * Pictures as files of a namespace, in the store of the sessions: erasing or exporting the namespace takes them along.
 *
 * ```ts
 * const files = new ImageFiles(store)
 * const image = await files.read(ns, "image-0123456789abcdef.webp")
 * ```
 */
export class ImageFiles {
  readonly #records: Records

  constructor(store: Pick<SessionStore, "records">) {
    this.#records = store.records("images")
  }

  /** Keeps it under a new name; durable when the promise resolves. */
  async save(namespace: Namespace, { bytes, mediaType }: Picture): Promise<string> {
    const name = `image-${randomId().slice(0, 16)}.${mediaType.slice("image/".length)}`
    await this.#records.put(namespace, name, { data: Buffer.from(bytes).toString("base64") }, { expected: 0 })
    return name
  }

  /** Undefined when the namespace has no such picture. */
  async read(namespace: Namespace, name: string): Promise<StoredImage | undefined> {
    // A model makes names up; not all of them can be a key.
    if (!NAME.test(name)) return undefined
    const record = await this.#records.get(namespace, name)
    const bytes = bytesOf(record?.value)
    const mediaType = bytes && pictureTypeOf(bytes)
    return record && bytes && mediaType && { name, bytes, mediaType, createdAt: record.updatedAt }
  }

  /** The names of all pictures of the namespace. */
  async list(namespace: Namespace): Promise<readonly string[]> {
    const names: string[] = []
    for await (const { key } of everyItem((page) =>
      this.#records.list(namespace, { ...page, limit: AT_ONCE }),
    ))
      names.push(key)
    return names
  }

  /** True for the one caller that removed it. */
  async delete(namespace: Namespace, name: string): Promise<boolean> {
    return NAME.test(name) && (await this.#records.delete(namespace, name))
  }
}

/** Each is read with its bytes. */
const AT_ONCE = 10
const NAME = /^image-[0-9a-f]{16}\.(?:png|jpeg|gif|webp)$/

function bytesOf(value: Json | undefined): Buffer | undefined {
  const data = isObject(value) ? value["data"] : undefined
  return typeof data === "string" ? Buffer.from(data, "base64") : undefined
}
