import type { Environment } from "../config/expand.ts"
import type { Keychain } from "./vault.ts"

const SERVICE = "herald"
/** A keychain that asks a person nobody is in front of must not hold up the start. */
const TIMEOUT_MS = 5_000

/**
 * The keychain of macOS, Windows, or a Linux desktop. On Linux only the Secret Service counts: the kernel's
 * keyring forgets at the next boot. `HERALD_KEYCHAIN=off` keeps Herald away from it.
 */
export function systemKeychain(env: Environment): Keychain | undefined {
  if (env["HERALD_KEYCHAIN"] === "off") return undefined
  if (process.platform === "linux" && !env["DBUS_SESSION_BUS_ADDRESS"]) return undefined
  const entry = async (account: string) => {
    const { AsyncEntry } = await import("@napi-rs/keyring")
    return new AsyncEntry(SERVICE, account, { linux: { store: "secret-service" } })
  }
  return {
    get: async (account) =>
      (await (await entry(account)).getPassword(AbortSignal.timeout(TIMEOUT_MS))) ?? undefined,
    set: async (account, secret) => {
      await (await entry(account)).setPassword(secret, AbortSignal.timeout(TIMEOUT_MS))
    },
    delete: async (account) => {
      await (await entry(account)).deletePassword(AbortSignal.timeout(TIMEOUT_MS))
    },
  }
}
