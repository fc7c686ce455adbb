import {
  everyItem,
  isObject,
  type Json,
  type Namespace,
  type RecordChange,
  type Records,
  randomId,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { asSealed, Keyring, type Sealed } from "./seal.ts"

/** A token as it is kept, encrypted. */
export interface StoredToken {
  readonly accessToken: string
  readonly type: string
  readonly scopes: readonly string[]
  /** When it runs out, and from when on it is renewed; ms since 1970. Undefined when the server did not say. */
  readonly expiresAt?: number
  readonly staleAt?: number
  readonly refreshToken?: string
  /** Whose it is: it is sent to nobody else. */
  readonly issuer: string
  readonly clientId: string
}

/** What the record of a login says without a key. */
interface Plain {
  /** Names the token: another one has another id. Undefined while the first is fetched. */
  readonly id?: string
  /** Somebody renews it; when they are not done by then, they have died. ms since 1970. */
  readonly claimedUntil?: number
  /** The server has refused to renew it. */
  readonly revoked?: true
}

/** A login as it was read. */
export interface Login extends Plain {
  readonly version: number
  readonly token?: StoredToken
}

/** A login for a list. */
export interface LoginInfo {
  readonly namespace: Namespace
  /** Of the client that it was made with. */
  readonly name: string
  readonly status: "signed_in" | "revoked"
}

export interface TokenStoreOptions {
  /** 32 random bytes each. The first one encrypts; the others only decrypt what they once encrypted. */
  readonly keys: readonly Uint8Array[]
  /** The clock, in ms since 1970. Default the store's, which all processes share; `Date.now` where it has none. */
  readonly now?: () => number
}

const TOKEN = "token "

/**
 * Logins by namespace, encrypted, among the records of a session store: erasing a namespace erases them.
 *
 * A record is bound to its namespace and name: copied to another place it does not open. To change the key, put the new
 * one first, then call `reseal`; when that is done the old one is no longer needed.
 *
 * ```ts
 * const tokens = new TokenStore(store, { keys: [newKey, oldKey] })
 * await tokens.reseal(Namespace.of("household"))
 * ```
 */
export class TokenStore {
  readonly #store: Pick<SessionStore, "records" | "now">
  readonly #records: Records
  readonly #keys: Keyring
  readonly #now: (() => number) | undefined

  /** @throws InvalidInput without a key, or with one that is not of 32 bytes. */
  constructor(store: Pick<SessionStore, "records" | "now">, { keys, now }: TokenStoreOptions) {
    this.#store = store
    this.#records = store.records("oauth")
    this.#keys = new Keyring(keys)
    this.#now = now
  }

  /** The logins at and below the namespace. */
  async list(prefix: Namespace): Promise<readonly LoginInfo[]> {
    const found: LoginInfo[] = []
    for await (const { namespace, key, value } of this.#everything(prefix)) {
      const { id, revoked } = plain(value)
      if (!key.startsWith(TOKEN) || id === undefined) continue
      found.push({ namespace, name: key.slice(TOKEN.length), status: revoked ? "revoked" : "signed_in" })
    }
    return found
  }

  /**
   * Encrypts all at and below the namespace with the first key, if it is not already. Others may go on using it
   * meanwhile.
   *
   * @returns how many records were written.
   * @throws AuthError `auth_key_unknown`, `auth_record_unreadable`: those before it are done.
   */
  async reseal(prefix: Namespace): Promise<number> {
    let count = 0
    for await (const { namespace, key } of this.#everything(prefix)) {
      while (true) {
        const record = await this.#records.get(namespace, key)
        if (!record || !isObject(record.value) || record.value["sealed"] === undefined) break
        const sealed = asSealed(record.value["sealed"] as Json)
        if (sealed.key === this.#keys.current) break
        const place = { namespace, name: key }
        const again = this.#keys.seal(place, this.#keys.open(place, sealed))
        const value = { ...(record.value as { [name: string]: Json }), sealed: { ...again } }
        if (!(await this.#write({ namespace, key, value, expected: record.version }))) continue
        count++
        break
      }
    }
    return count
  }

  async now(): Promise<number> {
    return this.#now?.() ?? (await this.#store.now?.()) ?? Date.now()
  }

  async login(namespace: Namespace, name: string): Promise<Login | undefined> {
    const record = await this.#records.get(namespace, TOKEN + name)
    if (!record) return undefined
    const { value, version } = record
    const said = plain(value)
    if (said.id === undefined) return { ...said, version }
    return { ...said, version, token: this.#open<StoredToken>(namespace, TOKEN + name, value) }
  }

  /** Writes what others need to know of the login. @returns the new version, undefined when somebody else has written. */
  async mark(
    namespace: Namespace,
    name: string,
    login: Login | undefined,
    change: Plain,
  ): Promise<number | undefined> {
    const { token, id } = login ?? {}
    const value =
      token && id !== undefined ? { ...change, id, ...this.#seal(namespace, TOKEN + name, token) } : change
    return await this.#write({
      namespace,
      key: TOKEN + name,
      value: value as Json,
      expected: login?.version ?? 0,
    })
  }

  /** Keeps the token in place of what is there. False when `expected` is given and no longer the version. */
  async keep(namespace: Namespace, name: string, token: StoredToken, expected?: number): Promise<boolean> {
    const key = TOKEN + name
    const value = { id: randomId(), ...this.#seal(namespace, key, token) }
    return (
      (await this.#write({ namespace, key, value, ...(expected === undefined ? {} : { expected }) })) !==
      undefined
    )
  }

  /** Removes the login and gives what it was. */
  async take(namespace: Namespace, name: string): Promise<StoredToken | undefined> {
    const login = await this.login(namespace, name).catch(() => undefined)
    await this.#records.delete(namespace, TOKEN + name)
    return login?.token
  }

  /** Keeps what a sign-in that has begun needs to be finished, under a name of its own. */
  async keepPending(namespace: Namespace, name: string, pending: Pending): Promise<void> {
    await this.#forgetOld(namespace)
    const value = { expiresAt: pending.expiresAt, ...this.#seal(namespace, name, pending) }
    await this.#records.put(namespace, name, value)
  }

  async pending(namespace: Namespace, name: string): Promise<Pending | undefined> {
    const record = await this.#records.get(namespace, name)
    return record && this.#open<Pending>(namespace, name, record.value)
  }

  /** True for the one caller that removed it. */
  async forgetPending(namespace: Namespace, name: string): Promise<boolean> {
    return await this.#records.delete(namespace, name)
  }

  /** Sign-ins that nobody came back from: all that are too old, and the oldest of too many. */
  async #forgetOld(namespace: Namespace): Promise<void> {
    const now = await this.now()
    const waiting: { key: string; expiresAt: number }[] = []
    for await (const { key, value } of everyItem((page) => this.#records.list(namespace, page))) {
      if (key.startsWith(TOKEN) || !isObject(value)) continue
      waiting.push({ key, expiresAt: Number(value["expiresAt"]) })
    }
    waiting.sort((a, b) => b.expiresAt - a.expiresAt)
    for (const [at, { key, expiresAt }] of waiting.entries()) {
      if (at >= MAX_PENDING || expiresAt <= now) await this.#records.delete(namespace, key)
    }
  }

  #everything(prefix: Namespace) {
    return everyItem((page) => this.#records.list(prefix, { below: true, ...page }))
  }

  #seal(
    namespace: Namespace,
    name: string,
    secret: StoredToken | Pending,
  ): { readonly sealed: { readonly [K in keyof Sealed]: string } } {
    return { sealed: { ...this.#keys.seal({ namespace, name }, { ...secret }) } }
  }

  /** What was sealed there was of this type: nobody without the key could have made it. */
  #open<T>(namespace: Namespace, name: string, value: Json): T {
    const sealed = asSealed(isObject(value) ? (value["sealed"] as Json | undefined) : undefined)
    return this.#keys.open({ namespace, name }, sealed) as T
  }

  async #write(change: RecordChange & { readonly value: Json }): Promise<number | undefined> {
    try {
      const { namespace, key, value, expected } = change
      return await this.#records.put(namespace, key, value, expected === undefined ? {} : { expected })
    } catch (error) {
      if (error instanceof VersionConflict) return undefined
      throw error
    }
  }
}

/** A sign-in that has begun. Its secrets are the verifier and the device code. */
export interface Pending {
  readonly expiresAt: number
  readonly issuer: string
  readonly clientId: string
  readonly verifier?: string
  readonly redirectUri?: string
  readonly deviceCode?: string
  readonly intervalMs?: number
}

/** A person does not have more pages open; somebody who starts sign-ins without end fills nothing. */
const MAX_PENDING = 20

function plain(value: Json): Plain {
  return isObject(value) ? (value as Plain) : {}
}
