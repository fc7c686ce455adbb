import { isObject, type Json, type Namespace, type Records, type SessionStore } from "@orra/core"

/** Somebody who can tie an account of Discord to what they are elsewhere, such as in a web page. */
export interface LinkablePerson {
  /** Below it is kept which accounts are theirs. */
  readonly namespace: Namespace
  readonly name: string
  /** Sessions at or below these are theirs to decide about. Empty for those who may decide nothing. */
  readonly decidesIn: readonly Namespace[]
}

/** An account of Discord, and whose it is. */
export interface DiscordLink {
  readonly userId: string
  /** What they were called when they linked it. */
  readonly username: string
  /** ms since 1970. */
  readonly at: number
  readonly person: LinkablePerson
}

export interface DiscordLinksOptions {
  readonly store: Pick<SessionStore, "records" | "now">
  /** Read anew each time: whoever is not there any more is not linked any more. */
  readonly people: () => readonly LinkablePerson[]
}

/** How long a code can be used. */
const CODE_MS = 10 * 60_000
/** 32 signs that are not taken for each other: 50 bits in ten of them. */
const SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
const LENGTH = 10
/** The one code that a person has at a time. */
const CODE = "code"

/**
 * Which accounts of Discord belong to whom. A person gets a code where they are known, and uses it in Discord with
 * `/link`: after that they can write to the bot in private, and are asked there what they may decide.
 *
 * ```ts
 * const links = new DiscordLinks({ store, people: () => [{ namespace, name: "Ada", decidesIn: [namespace] }] })
 * const { code } = await links.code(namespace) // shown to Ada, who writes `/link code:...` in Discord
 * ```
 */
export class DiscordLinks {
  readonly #options: DiscordLinksOptions
  readonly #links: Records
  readonly #codes: Records

  constructor(options: DiscordLinksOptions) {
    this.#options = options
    this.#links = options.store.records("discord-links")
    this.#codes = options.store.records("discord-link-codes")
  }

  /** A code that links one account, within ten minutes. It takes the place of the one before; only a digest is kept. */
  async code(person: Namespace): Promise<{ readonly code: string; readonly expiresAt: number }> {
    const signs = Array.from(
      crypto.getRandomValues(new Uint8Array(LENGTH)),
      (byte) => SIGNS[byte % SIGNS.length],
    )
    const code = `${signs.slice(0, LENGTH / 2).join("")}-${signs.slice(LENGTH / 2).join("")}`
    const expiresAt = (await this.#now()) + CODE_MS
    await this.#codes.put(person, CODE, { digest: await digest(code), expiresAt })
    return { code, expiresAt }
  }

  /** Uses a code: the account belongs to its person from now on, and to nobody else. Undefined for one that is none. */
  async redeem(
    code: string,
    { userId, username }: Pick<DiscordLink, "userId" | "username">,
  ): Promise<LinkablePerson | undefined> {
    const given = await digest(code)
    const now = await this.#now()
    for (const person of this.#options.people()) {
      const value = (await this.#codes.get(person.namespace, CODE))?.value
      if (!isObject(value) || value["digest"] !== given || !(Number(value["expiresAt"]) > now)) continue
      // Whoever is told that it was there has used it.
      if (!(await this.#codes.delete(person.namespace, CODE))) return undefined
      for (const { namespace } of this.#options.people()) await this.#links.delete(namespace, userId)
      await this.#links.put(person.namespace, userId, { username, at: now })
      return person
    }
    return undefined
  }

  /** Whose the account is. */
  async of(userId: string): Promise<LinkablePerson | undefined> {
    for (const person of this.#options.people())
      if (await this.#links.get(person.namespace, userId)) return person
    return undefined
  }

  /** All links, or those of one person. */
  async list(of?: Namespace): Promise<readonly DiscordLink[]> {
    const people = this.#options
      .people()
      .filter(({ namespace }) => of === undefined || namespace.key === of.key)
    const found = people.map(async (person) => {
      const { items } = await this.#links.list(person.namespace, { limit: MAX_LINKS })
      return items.map(({ key, value }) => ({ userId: key, ...linkIn(value), person }))
    })
    return (await Promise.all(found)).flat()
  }

  /** @returns false when there is no such link. */
  async remove(person: Namespace, userId: string): Promise<boolean> {
    return await this.#links.delete(person, userId)
  }

  async #now(): Promise<number> {
    return (await this.#options.store.now?.()) ?? Date.now()
  }
}

/** Accounts of one person that are looked at. */
const MAX_LINKS = 50

function linkIn(value: Json): Pick<DiscordLink, "username" | "at"> {
  const { username, at } = isObject(value) ? value : {}
  return { username: String(username), at: Number(at) }
}

/** However it is typed: small or large letters, with or without the stroke. */
async function digest(code: string): Promise<string> {
  const typed = code.toUpperCase().replaceAll(/[^A-Z0-9]/g, "")
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(typed))
  return Buffer.from(bytes).toString("base64url")
}
