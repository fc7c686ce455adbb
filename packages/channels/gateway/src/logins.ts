import { randomBytes } from "node:crypto"
import { isObject, type Json, Namespace } from "@orra/core"
import { sha256 } from "./principal.ts"

/** Where logins are kept: `store.records("logins")` of @orra/store-sql is one. */
export interface LoginRecords {
  get(namespace: Namespace, key: string): Promise<Json | undefined>
  put(namespace: Namespace, key: string, value: Json): Promise<void>
  delete(namespace: Namespace, key: string): Promise<boolean>
}

/** A browser's login. `id` is the digest of its cookie: the cookie itself is kept by the browser alone. */
export interface Login {
  readonly id: string
  readonly principal: string
  readonly expiresAt: number
}

const LINK_MS = 10 * 60_000
export const LOGIN_MS = 30 * 24 * 3_600_000
/** A login that is used gets its full time again, at most this often. */
const RENEW_MS = 24 * 3_600_000
const LOGINS = Namespace.of("gateway", "logins")

/** Logins of browsers, and the one-use links that begin them. */
export class Logins {
  readonly #records: LoginRecords
  readonly #now: () => number
  /** Digest of a link's token → who it logs in, until when. Links live as long as the process. */
  readonly #links = new Map<string, { readonly principal: string; readonly expiresAt: number }>()

  constructor(records: LoginRecords, now: () => number) {
    this.#records = records
    this.#now = now
  }

  /** A token of 256 random bits that logs `principal` in once, within ten minutes. */
  createLink(principal: string): string {
    const token = randomBytes(32).toString("base64url")
    for (const [digest, { expiresAt }] of this.#links)
      if (expiresAt <= this.#now()) this.#links.delete(digest)
    this.#links.set(digestOf(token), { principal, expiresAt: this.#now() + LINK_MS })
    return token
  }

  /** Who the link logs in; undefined when it was used, is too old, or never was. It cannot be used again. */
  useLink(token: string): string | undefined {
    const digest = digestOf(token)
    const link = this.#links.get(digest)
    this.#links.delete(digest)
    return link && link.expiresAt > this.#now() ? link.principal : undefined
  }

  /** Begins a login. @returns the cookie's value. */
  async begin(principal: string): Promise<string> {
    const cookie = randomBytes(32).toString("base64url")
    await this.#records.put(LOGINS, digestOf(cookie), { principal, expiresAt: this.#now() + LOGIN_MS })
    return cookie
  }

  /** The login of a cookie, with its time renewed when it is used after a while. */
  async find(cookie: string): Promise<Login | undefined> {
    const id = digestOf(cookie)
    const record = await this.#records.get(LOGINS, id)
    if (!isObject(record)) return undefined
    const { principal, expiresAt } = record
    if (typeof principal !== "string" || typeof expiresAt !== "number") return undefined
    const now = this.#now()
    if (expiresAt <= now) {
      await this.#records.delete(LOGINS, id)
      return undefined
    }
    if (expiresAt - now < LOGIN_MS - RENEW_MS) {
      await this.#records.put(LOGINS, id, { principal, expiresAt: now + LOGIN_MS })
    }
    return { id, principal, expiresAt }
  }

  end(login: Login): Promise<boolean> {
    return this.#records.delete(LOGINS, login.id)
  }
}

const digestOf = (secret: string): string => sha256(secret).toString("base64url")

/** Logins that end with the process. */
export function memoryLogins(): LoginRecords {
  const records = new Map<string, Json>()
  const place = (namespace: Namespace, key: string) => `${namespace.key}/${key}`
  return {
    get: async (namespace, key) => records.get(place(namespace, key)),
    put: async (namespace, key, value) => void records.set(place(namespace, key), value),
    delete: async (namespace, key) => records.delete(place(namespace, key)),
  }
}
