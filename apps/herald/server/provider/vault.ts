import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { isObject, type Json, OrraError, randomId } from "@orra/core"

/** A secret as it is stored: a place in the keychain, or its encrypted bytes. JSON, safe to write down. */
export type Sealed =
  | { readonly in: "keychain"; readonly account: string }
  | { readonly in: "file"; readonly nonce: string; readonly data: string }

/** The operating system's keychain. Every method throws where there is none. */
export interface Keychain {
  get(account: string): Promise<string | undefined>
  set(account: string, secret: string): Promise<void>
  delete(account: string): Promise<void>
}

export interface Vault {
  seal(secret: string): Promise<Sealed>
  /** @throws OrraError (`vault_unreadable`) when the keychain or the key file no longer has what is needed. */
  open(sealed: Sealed): Promise<string>
  forget(sealed: Sealed): Promise<void>
}

const KEY_FILE = "vault.key"
const CONTEXT = Buffer.from("herald vault 1")

/**
 * Keeps secrets: in the keychain where one works, else encrypted (AES-256-GCM) under a key in `vault.key` of the
 * data directory, readable by this user only. The second protects a copy of the database that travels without the
 * key file, such as a backup or a bug report; it does not protect from someone who can read the whole directory.
 */
export function openVault(dataDir: string, keychain: Keychain | undefined): Vault {
  return {
    async seal(secret) {
      const account = randomId()
      if (keychain && (await stored(keychain, account, secret))) return { in: "keychain", account }
      const nonce = randomBytes(12)
      const cipher = createCipheriv("aes-256-gcm", await vaultKey(dataDir, true), nonce).setAAD(CONTEXT)
      const data = Buffer.concat([cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()])
      return { in: "file", nonce: nonce.toString("base64"), data: data.toString("base64") }
    },
    async open(sealed) {
      try {
        const secret = await (sealed.in === "keychain"
          ? keychain?.get(sealed.account)
          : decrypt(dataDir, sealed))
        if (secret !== undefined) return secret
      } catch (error) {
        throw unreadable(sealed, error)
      }
      throw unreadable(sealed)
    },
    async forget(sealed) {
      if (sealed.in === "keychain") await keychain?.delete(sealed.account).catch(() => undefined)
    },
  }
}

/** A sealed secret read back from a record, or undefined when it is not one. */
export function asSealed(value: Json | undefined): Sealed | undefined {
  if (!isObject(value)) return undefined
  const { in: place, account, nonce, data } = value as Readonly<Record<string, unknown>> & { in?: unknown }
  if (place === "keychain" && typeof account === "string") return { in: place, account }
  if (place === "file" && typeof nonce === "string" && typeof data === "string")
    return { in: place, nonce, data }
  return undefined
}

/** Only what can be read back counts as stored. */
async function stored(keychain: Keychain, account: string, secret: string): Promise<boolean> {
  try {
    await keychain.set(account, secret)
    return (await keychain.get(account)) === secret
  } catch {
    return false
  }
}

async function decrypt(dataDir: string, sealed: Sealed & { readonly in: "file" }): Promise<string> {
  const data = Buffer.from(sealed.data, "base64")
  const key = await vaultKey(dataDir, false)
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(sealed.nonce, "base64"))
    .setAAD(CONTEXT)
    .setAuthTag(data.subarray(-16))
  return Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]).toString("utf8")
}

async function vaultKey(dataDir: string, create: boolean): Promise<Buffer> {
  const file = join(dataDir, KEY_FILE)
  if (create) {
    try {
      await writeFile(file, randomBytes(32), { flag: "wx", mode: 0o600 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
  }
  const key = await readFile(file)
  if (key.length !== 32) throw new OrraError("vault_unreadable", `${file} is damaged.`)
  return key
}

const unreadable = (sealed: Sealed, cause?: unknown): OrraError =>
  new OrraError(
    "vault_unreadable",
    `The saved secret cannot be read (${sealed.in === "keychain" ? "the keychain does not give it" : `${KEY_FILE} is missing or not the one it was saved with`}): enter it again in the settings.`,
    {},
    cause,
  )
