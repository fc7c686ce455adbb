import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto"
import { InvalidInput, isObject, type Json, type Namespace, parseJson } from "@orra/core"
import { AuthError } from "./errors.ts"

/** A secret as it is stored. All but `key` is base64. */
export interface Sealed {
  /** Which key it was encrypted with. */
  readonly key: string
  readonly nonce: string
  /** The encrypted text and its tag. */
  readonly data: string
}

/** Where a record stands: it opens nowhere else. */
export interface Place {
  readonly namespace: Namespace
  readonly name: string
}

const KEY_BYTES = 32
const TAG_BYTES = 16

/** Encrypts with the first key (AES-256-GCM), and decrypts what any of them has encrypted. */
export class Keyring {
  readonly #keys = new Map<string, Buffer>()
  /** The name of the key that encrypts. */
  readonly current: string

  constructor(keys: readonly Uint8Array[]) {
    for (const key of keys) {
      if (key.length !== KEY_BYTES) throw new InvalidInput(`A key has ${KEY_BYTES} bytes: randomBytes(32).`)
      this.#keys.set(nameOf(key), Buffer.from(key))
    }
    const [current] = this.#keys.keys()
    if (current === undefined) throw new InvalidInput("Tokens are stored encrypted: give at least one key.")
    this.current = current
  }

  seal(place: Place, value: Json): Sealed {
    const nonce = randomBytes(12)
    const cipher = createCipheriv("aes-256-gcm", this.#key(this.current), nonce).setAAD(bound(place))
    const data = Buffer.concat([
      cipher.update(JSON.stringify(value), "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ])
    return { key: this.current, nonce: nonce.toString("base64"), data: data.toString("base64") }
  }

  /** @throws AuthError `auth_key_unknown`, `auth_record_unreadable`. */
  open(place: Place, sealed: Sealed): Json {
    const key = this.#key(sealed.key)
    try {
      const data = Buffer.from(sealed.data, "base64")
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(sealed.nonce, "base64"), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(bound(place)).setAuthTag(data.subarray(-TAG_BYTES))
      const text = Buffer.concat([decipher.update(data.subarray(0, -TAG_BYTES)), decipher.final()])
      return parseJson(text.toString("utf8"))
    } catch {
      throw unreadable()
    }
  }

  #key(name: string): Buffer {
    const key = this.#keys.get(name)
    if (key) return key
    throw new AuthError(
      "auth_key_unknown",
      "This login is encrypted with a key that was not given: give it after the new one, or sign in again.",
      { key: name },
    )
  }
}

export function asSealed(value: Json | undefined): Sealed {
  if (isObject(value)) {
    const { key, nonce, data } = value as { readonly [name: string]: Json | undefined }
    if (typeof key === "string" && typeof nonce === "string" && typeof data === "string")
      return { key, nonce, data }
  }
  throw unreadable()
}

const unreadable = (): AuthError =>
  new AuthError(
    "auth_record_unreadable",
    "This login cannot be decrypted: it was damaged, or belongs somewhere else. Sign in again.",
  )

/** What a key is called: part of its digest, which says nothing of 32 random bytes. */
const nameOf = (key: Uint8Array): string => createHash("sha256").update(key).digest("hex").slice(0, 16)

const bound = ({ namespace, name }: Place): Buffer =>
  Buffer.from(JSON.stringify(["orra auth 1", namespace.key, name]))
