import { randomBytes } from "node:crypto"
import { everyItem, isObject, type Json, MemoryStore, Namespace, type Records } from "@orra/core"
import { type Principal, type Principals, sha256 } from "./principal.ts"

/** Where logins are kept: `store.records("logins")` of any `SessionStore`. */
export interface LoginRecords extends Pick<Records, "get" | "delete" | "list"> {
  put(namespace: Namespace, key: string, value: Json): Promise<unknown>
}

/** A browser's login. `id` is the digest of its cookie: the cookie itself is kept by the browser alone. */
export interface Login {
  readonly id: string
  readonly principal: string
  readonly expiresAt: number
}

/** What a person is told of a login of theirs. Times are in ms since 1970. */
export interface KnownLogin {
  readonly id: string
  /** What the browser said that it is, when it logged in. */
  readonly device: string
  readonly since: number
  /** To within a day. */
  readonly usedAt: number
}

const LINK_MS = 10 * 60_000
/** Of what a browser says of itself, in characters. */
const MAX_DEVICE = 300
export const LOGIN_MS = 30 * 24 * 3_600_000
/** A login that is used gets its full time again, at most this often. */
const RENEW_MS = 24 * 3_600_000
const LOGINS = Namespace.of("gateway", "logins")

/** Logins of browsers, and the one-use links that begin them. */
export class Logins {
  readonly #records: LoginRecords
  readonly #principals: Principals
  readonly #now: () => number
  /** Digest of a link's token → who it logs in, until when. Links live as long as the process. */
  readonly #links = new Map<string, { readonly principal: string; readonly expiresAt: number }>()
  /** Logins that ended here: renewing one at the same moment must not bring it back. */
  readonly #ended = new Set<string>()

  constructor(records: LoginRecords, principals: Principals, now: () => number) {
    this.#records = records
    this.#principals = principals
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
  useLink(token: string): Principal | undefined {
    const digest = digestOf(token)
    const link = this.#links.get(digest)
    this.#links.delete(digest)
    return link && link.expiresAt > this.#now() ? this.#principals.named(link.principal) : undefined
  }

  /**
   * Begins a login. With `key` it ends when the principal's key becomes another one. `device` is for the person, to tell
   * their logins apart.
   *
   * @returns the cookie's value.
   */
  async begin(
    { name }: Principal,
    { key, device = "" }: { key?: string; device?: string } = {},
  ): Promise<string> {
    const cookie = randomBytes(32).toString("base64url")
    await this.#records.put(LOGINS, digestOf(cookie), {
      principal: name,
      expiresAt: this.#now() + LOGIN_MS,
      since: this.#now(),
      device: device.slice(0, MAX_DEVICE).toWellFormed(),
      ...(key !== undefined && { proof: proofOf(cookie, key) }),
    })
    return cookie
  }

  /** The login of a cookie and whose it is, with its time renewed when it is used after a while. */
  async find(cookie: string): Promise<{ readonly principal: Principal; readonly login: Login } | undefined> {
    const id = digestOf(cookie)
    const record = await this.#live(id)
    const principal = record && this.#principals.named(record.principal)
    if (!principal) return undefined
    if (record.proof !== undefined && record.proof !== proofOf(cookie, principal.key ?? "")) return undefined
    return { principal, login: { id, principal: principal.name, expiresAt: record.expiresAt } }
  }

  /** Whether the login goes on; being asked counts as use. */
  async goesOn(id: string): Promise<boolean> {
    return (await this.#live(id)) !== undefined
  }

  /** Whose it is, as long as it goes on. Being asked is no use of it. */
  async holder(id: string): Promise<Principal | undefined> {
    const record = asRecord((await this.#records.get(LOGINS, id))?.value)
    if (!record || record.expiresAt <= this.#now() || this.#ended.has(id)) return undefined
    return this.#principals.named(record.principal)
  }

  /** Whether it ended in this process, a moment ago perhaps. */
  hasEnded({ id }: Login): boolean {
    return this.#ended.has(id)
  }

  /** Those of a principal that go on, the one that was used last first. */
  async list({ name }: Principal): Promise<readonly KnownLogin[]> {
    const found: KnownLogin[] = []
    for await (const { key: id, value } of everyItem((page) => this.#records.list(LOGINS, page))) {
      const record = asRecord(value)
      if (record?.principal !== name || record.expiresAt <= this.#now() || this.#ended.has(id)) continue
      const { device = "", expiresAt } = record
      const usedAt = expiresAt - LOGIN_MS
      found.push({ id, device, since: record.since ?? usedAt, usedAt })
    }
    return found.sort((a, b) => b.usedAt - a.usedAt)
  }

  /** Ends a login of a principal's. @returns false when they have no such one. */
  async endOwn({ name }: Principal, id: string): Promise<boolean> {
    const record = await this.#live(id)
    return record?.principal === name && (await this.end({ ...record, id }))
  }

  end(login: Login): Promise<boolean> {
    this.#ended.add(login.id)
    return this.#records.delete(LOGINS, login.id)
  }

  async #live(id: string): Promise<LoginRecord | undefined> {
    const stored = await this.#records.get(LOGINS, id)
    const record = asRecord(stored?.value)
    if (!record || this.#ended.has(id)) return undefined
    const now = this.#now()
    if (record.expiresAt <= now) {
      await this.#records.delete(LOGINS, id)
      return undefined
    }
    if (record.expiresAt - now >= LOGIN_MS - RENEW_MS) return record
    const renewed = { ...record, expiresAt: now + LOGIN_MS }
    await this.#records.put(LOGINS, id, renewed)
    if (!this.#ended.has(id)) return renewed
    await this.#records.delete(LOGINS, id)
    return undefined
  }
}

/** What is kept of a login. `proof` binds it to the key it began with, and can be checked only with the cookie. */
type LoginRecord = {
  readonly principal: string
  readonly expiresAt: number
  readonly proof?: string
  readonly since?: number
  readonly device?: string
}

function asRecord(value: Json | undefined): LoginRecord | undefined {
  if (!isObject(value)) return undefined
  const { principal, expiresAt, proof, since, device } = value
  if (typeof principal !== "string" || typeof expiresAt !== "number") return undefined
  if (proof !== undefined && typeof proof !== "string") return undefined
  return {
    principal,
    expiresAt,
    ...(proof !== undefined && { proof }),
    ...(typeof since === "number" && { since }),
    ...(typeof device === "string" && { device }),
  }
}

const digestOf = (secret: string): string => sha256(secret).toString("base64url")

const proofOf = (cookie: string, key: string): string => digestOf(`${cookie} ${key}`)

/** Logins that end with the process. */
export const memoryLogins = (): LoginRecords => new MemoryStore().records("logins")
