import { createHash, ECDH } from "node:crypto"
import {
  everyItem,
  InvalidInput,
  isObject,
  type Json,
  type Namespace,
  type Records,
  type StoredRecord,
  VersionConflict,
} from "@orra/core"

/** Where a browser takes pushes, and the login that asked for them. */
export interface Subscription {
  readonly endpoint: string
  /** The browser's public key and secret (RFC 8291), base64url. */
  readonly p256dh: string
  readonly auth: string
  readonly login: string
  /** See `proofOf`. */
  readonly proof: string
}

/** A subscription and which it is. */
export interface KeptSubscription extends Subscription {
  readonly id: string
  readonly version: number
}

/** As the browser gives it. */
export type BrowserSubscription = Pick<Subscription, "endpoint" | "p256dh" | "auth">

/** Browsers of one person: the one that came first goes when there are more. */
const MAX_BROWSERS = 20
const MAX_ENDPOINT = 1_000

/** The subscriptions of all people, each below whose it is. A browser is one person's at a time. */
export class Subscriptions {
  readonly #records: Records
  readonly #people: () => readonly Namespace[]

  constructor(records: Records, people: () => readonly Namespace[]) {
    this.#records = records
    this.#people = people
  }

  /** @returns its id, the same whenever this browser subscribes. */
  async put(person: Namespace, subscription: Subscription): Promise<string> {
    const id = createHash("sha256").update(subscription.endpoint).digest("hex").slice(0, 32)
    for (const other of this.#people()) if (!other.equals(person)) await this.#records.delete(other, id)
    await this.#records.put(person, id, { ...subscription })
    const all = await this.#kept(person)
    const oldest = all.toSorted((a, b) => a.updatedAt - b.updatedAt).filter(({ key }) => key !== id)
    for (const { key } of oldest.slice(0, Math.max(0, all.length - MAX_BROWSERS)))
      await this.#records.delete(person, key)
    return id
  }

  async get(person: Namespace, id: string): Promise<KeptSubscription | undefined> {
    const record = await this.#records.get(person, id)
    const subscription = asSubscription(record?.value)
    return record && subscription && { ...subscription, id, version: record.version }
  }

  /** The ids of a person's. */
  async ids(person: Namespace): Promise<readonly string[]> {
    return (await this.#kept(person)).map(({ key }) => key)
  }

  delete(person: Namespace, id: string): Promise<boolean> {
    return this.#records.delete(person, id)
  }

  /** Forgets one as it was read: a browser that has subscribed again meanwhile stays. */
  async forget(person: Namespace, { id, version }: KeptSubscription): Promise<void> {
    try {
      await this.#records.delete(person, id, { expected: version })
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
    }
  }

  async #kept(person: Namespace): Promise<readonly StoredRecord[]> {
    const kept: StoredRecord[] = []
    for await (const record of everyItem((page) => this.#records.list(person, page))) kept.push(record)
    return kept
  }
}

function asSubscription(value: Json | undefined): Subscription | undefined {
  if (!isObject(value)) return undefined
  const { endpoint, p256dh, auth, login, proof } = value
  const texts = [endpoint, p256dh, auth, login, proof].every((each) => typeof each === "string")
  return texts ? (value as unknown as Subscription) : undefined
}

/**
 * What a browser sends: where it takes pushes, and its keys. Whether the host is a public one is looked at each time something
 * is sent there.
 *
 * @param local - an origin that is taken although it is not `https`.
 * @throws InvalidInput.
 */
export function subscriptionIn(
  body: Readonly<Record<string, unknown>>,
  local: string | undefined,
): BrowserSubscription {
  const { endpoint, keys } = body
  const { p256dh, auth } = isObject(keys) ? keys : {}
  const url =
    typeof endpoint === "string" && endpoint.length <= MAX_ENDPOINT ? URL.parse(endpoint) : undefined
  if (!url || (url.origin !== local && (url.protocol !== "https:" || url.port !== "")))
    throw new InvalidInput('"endpoint" is the https address that the browser was given by its push service.')
  if (!isPoint(bytesIn(p256dh)) || bytesIn(auth)?.length !== 16)
    throw new InvalidInput(
      '"keys" are those of the browser\'s subscription: p256dh of 65 bytes and auth of 16, in base64url.',
    )
  return { endpoint: url.href, p256dh: String(p256dh), auth: String(auth) }
}

const bytesIn = (value: unknown): Buffer | undefined =>
  typeof value === "string" && /^[\w-]+$/.test(value) ? Buffer.from(value, "base64url") : undefined

/** Whether it is a public key of the curve that browsers use, in the form in which they give it. */
function isPoint(bytes: Buffer | undefined): boolean {
  if (bytes?.length !== 65) return false
  try {
    ECDH.convertKey(bytes, "prime256v1")
    return true
  } catch {
    return false
  }
}
