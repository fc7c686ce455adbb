import { everyItem, InvalidInput, type Namespace, type Records } from "@orra/core"

const KEY = "time-zone"
const LANGUAGE = "language"

/**
 * Where each person is, and their language: what their browser said last. Kept, so that what runs by itself knows it too.
 */
export class Zones {
  readonly #records: Records
  readonly #people: readonly Namespace[]
  readonly #home: string
  readonly #known = new Map<string, string>()
  readonly #languages = new Map<string, string>()

  private constructor(records: Records, people: readonly Namespace[], home: string) {
    this.#records = records
    this.#people = people
    this.#home = home
  }

  /** @param home the zone of whoever said none. */
  static async open(records: Records, people: readonly Namespace[], home: string): Promise<Zones> {
    const zones = new Zones(records, people, home)
    for (const person of people) {
      for await (const { key, value } of everyItem((page) => records.list(person, page))) {
        if (key === KEY && isZone(value)) zones.#known.set(person.key, value)
        const language = key === LANGUAGE ? languageIn(value) : undefined
        if (language !== undefined) zones.#languages.set(person.key, language)
      }
    }
    return zones
  }

  /** The zone of the person to whom a session belongs: an IANA name. */
  of(namespace: Namespace): string {
    return this.#said(namespace) ?? this.#home
  }

  /** Whether the person uses the page, which says where it is. */
  isKnown(namespace: Namespace): boolean {
    return this.#said(namespace) !== undefined
  }

  /** @throws InvalidInput for what is no zone. */
  async set(person: Namespace, zone: unknown): Promise<void> {
    if (!isZone(zone)) throw new InvalidInput("zone must be an IANA time zone, such as Europe/Paris.")
    if (this.#known.get(person.key) === zone) return
    await this.#records.put(person, KEY, zone)
    this.#known.set(person.key, zone)
  }

  /** The language of the person to whom a session belongs, such as `pt-BR`; undefined where nobody has said it. */
  languageOf(namespace: Namespace): string | undefined {
    const person = this.#personOf(namespace)
    return person && this.#languages.get(person.key)
  }

  /** @throws InvalidInput for what is no language. */
  async setLanguage(person: Namespace, tag: unknown): Promise<void> {
    const language = languageIn(tag)
    if (language === undefined) throw new InvalidInput("language must be a BCP 47 tag, such as pt-BR.")
    if (this.#languages.get(person.key) === language) return
    await this.#records.put(person, LANGUAGE, language)
    this.#languages.set(person.key, language)
  }

  #said(namespace: Namespace): string | undefined {
    const person = this.#personOf(namespace)
    return person && this.#known.get(person.key)
  }

  #personOf(namespace: Namespace): Namespace | undefined {
    return this.#people.find((each) => each.contains(namespace))
  }
}

export function isZone(zone: unknown): zone is string {
  if (typeof zone !== "string" || zone.length > 64) return false
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** The language that a tag names, without what else may be in it: the calendar of `en-u-ca-buddhist` has no name. */
function languageIn(tag: unknown): string | undefined {
  if (typeof tag !== "string" || tag.length > 35) return undefined
  try {
    return new Intl.Locale(tag).baseName
  } catch {
    return undefined
  }
}
