import { NamespaceError } from "./errors.ts"

/** Longest key of a namespace, in UTF-16 code units: what every store can use as a primary key. */
const MAX_KEY = 1024
const MAX_DEPTH = 32

/**
 * Whose data this is: a path of segments such as tenant, user, session. Every stateful call takes one, so that
 * nothing can be read or written for "everybody".
 *
 * `key` is injective: two namespaces have the same key exactly when they have the same segments, whatever the
 * segments contain, and `Namespace.parse(key)` gives them back.
 *
 * ```ts
 * const ns = Namespace.of("tenant", "acme", "user", "bob@example.com")
 * ns.key                                        // "tenant:acme:user:bob@example.com"
 * Namespace.parse("tenant:acme").contains(ns)   // true
 * ```
 */
export class Namespace {
  readonly segments: readonly string[]
  readonly key: string
  #lineageKeys: readonly string[] | undefined

  private constructor(segments: readonly string[], key: string) {
    this.segments = segments
    this.key = key
  }

  /**
   * A namespace of these segments, taken literally: a ":" inside a segment stays inside it.
   *
   * @throws NamespaceError (`namespace_invalid`) for no segment, an empty one, more than 32, a key longer than
   *   1,024 code units, or text with a lone surrogate (it has no UTF-8 form, so two such texts could collide).
   */
  static of(...segments: readonly string[]): Namespace {
    if (segments.length === 0) throw new NamespaceError("A namespace needs at least one segment.")
    if (segments.length > MAX_DEPTH) {
      throw new NamespaceError(`A namespace has at most ${MAX_DEPTH} segments.`, {
        segments: segments.length,
      })
    }
    const key = segments.map(encodeSegment).join(":")
    if (key.length > MAX_KEY) {
      throw new NamespaceError(`A namespace key has at most ${MAX_KEY} characters.`, { length: key.length })
    }
    return new Namespace(Object.freeze([...segments]), key)
  }

  /**
   * The namespace with this key.
   *
   * @throws NamespaceError when the text is not the key of any namespace, for example "a::b" or "a%3a" (the
   *   escape is "%3A"): accepting a second spelling would make two keys for one namespace.
   */
  static parse(key: string): Namespace {
    if (typeof key !== "string") throw new NamespaceError("A namespace key is text.")
    if (key.length > MAX_KEY) throw new NamespaceError(`A namespace key has at most ${MAX_KEY} characters.`)
    const namespace = Namespace.of(...key.split(":").map(decodeSegment))
    if (namespace.key !== key) {
      throw new NamespaceError(`"${key}" is not written as a namespace key; did you mean "${namespace.key}"?`)
    }
    return namespace
  }

  /** The namespace below this one. */
  child(...segments: readonly string[]): Namespace {
    return Namespace.of(...this.segments, ...segments)
  }

  /** The namespace above this one, or undefined at the root. */
  get parent(): Namespace | undefined {
    return this.segments.length > 1 ? Namespace.of(...this.segments.slice(0, -1)) : undefined
  }

  get depth(): number {
    return this.segments.length
  }

  /** This namespace and all above it, root first. */
  get lineage(): readonly Namespace[] {
    return this.segments.map((_, index) => Namespace.of(...this.segments.slice(0, index + 1)))
  }

  /** The keys of `lineage`. Remembered: policy and whoever watches ask for them all the time. */
  get lineageKeys(): readonly string[] {
    this.#lineageKeys ??= prefixesOf(this.key)
    return this.#lineageKeys
  }

  /** True for this namespace itself and for everything below it. */
  contains(other: Namespace): boolean {
    return other.key === this.key || other.key.startsWith(`${this.key}:`)
  }

  equals(other: Namespace): boolean {
    return other.key === this.key
  }

  toString(): string {
    return this.key
  }

  toJSON(): string {
    return this.key
  }
}

/**
 * The key under which something is kept. Stores and whatever else keeps state ask for it here: a caller that has lost
 * the namespace on its way must not reach what all such callers share.
 *
 * @throws NamespaceError for anything that is no namespace: undefined, a text, an object that only has a key.
 */
export function keyOf(namespace: Namespace): string {
  const { key, segments } = namespace ?? {}
  // Not `instanceof`: an application may have two copies of this package.
  if (typeof key === "string" && Array.isArray(segments)) return key
  throw new NamespaceError("A namespace is needed here: make one with Namespace.of(...).")
}

/** In a key ":" stands between segments and nowhere else. */
function prefixesOf(key: string): readonly string[] {
  const keys: string[] = []
  for (let end = key.indexOf(":"); end >= 0; end = key.indexOf(":", end + 1)) keys.push(key.slice(0, end))
  return [...keys, key]
}

/** What nearly every segment consists of: nothing in it needs an escape. */
const PLAIN = /^[\w.@~+-]+$/

/** ":" and "%" would be ambiguous in a key; control characters break databases, logs and file names. */
const needsEscape = (char: string): boolean => char === ":" || char === "%" || char < " " || char === "\x7f"

function encodeSegment(segment: string): string {
  if (typeof segment !== "string") throw new NamespaceError("A namespace segment is text.")
  if (PLAIN.test(segment)) return segment
  if (segment === "") throw new NamespaceError("A namespace segment may not be empty.")
  if (!segment.isWellFormed()) throw new NamespaceError("A namespace segment has a lone surrogate.")
  let encoded = ""
  for (const char of segment) {
    encoded += needsEscape(char) ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}` : char
  }
  return encoded
}

const decodeSegment = (text: string): string =>
  text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
