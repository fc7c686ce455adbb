import { createHmac } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { isObject, OrraError, parseJson } from "@orra/core"
import type { Principal } from "@orra/gateway"

/** By which push services know this Herald (VAPID, RFC 8292): base64url. */
export interface PushKeys {
  readonly publicKey: string
  readonly privateKey: string
}

const KEY_FILE = "push.key"

/**
 * The keys, made once and kept in `push.key` of the data directory, readable by this user only.
 *
 * @throws OrraError (`push_key_damaged`).
 */
export async function pushKeys(dataDir: string): Promise<PushKeys> {
  const file = join(dataDir, KEY_FILE)
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })
  if (kept !== undefined) return keysIn(kept, file)
  const { default: webPush } = await import("web-push")
  const keys = webPush.generateVAPIDKeys()
  await writeFile(file, `${JSON.stringify(keys)}\n`, { flag: "wx", mode: 0o600 })
  return keys
}

function keysIn(text: string, file: string): PushKeys {
  const { publicKey, privateKey } = asObject(text)
  if (typeof publicKey === "string" && typeof privateKey === "string") return { publicKey, privateKey }
  throw new OrraError(
    "push_key_damaged",
    `${file} is damaged: delete it. Notifications are then switched on again on each device.`,
  )
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** Shows whose a subscription was and with which key, without showing the key: a key that was changed is noticed. */
export const proofOf = ({ privateKey }: PushKeys, { name, key }: Principal): string =>
  createHmac("sha256", Buffer.from(privateKey, "base64url"))
    .update(JSON.stringify([name, key ?? null]))
    .digest("base64url")
