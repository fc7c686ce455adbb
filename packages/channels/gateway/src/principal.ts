import { createHash, timingSafeEqual } from "node:crypto"
import { type Namespace, OrraError } from "@orra/core"
import type { Permission, WirePrincipal } from "./protocol.ts"

/** Someone who may use the gateway, and whose sessions they reach: those at or below `namespace`. */
export interface Principal {
  readonly name: string
  readonly namespace: Namespace
  readonly permissions: readonly Permission[]
  /**
   * With `approve`: further namespaces whose waiting calls they may decide about, such as those of another channel. The
   * sessions there stay out of their reach.
   */
  readonly decidesIn?: readonly Namespace[]
  /** Bearer key, if there is one: printable ASCII without spaces. Without it only a login link gets in. */
  readonly key?: string
}

export const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()

export const wirePrincipal = ({ name, namespace, permissions }: Principal): WirePrincipal => ({
  name,
  namespace: namespace.key,
  permissions,
})

/** The principals by name and by key. */
export class Principals {
  readonly #byName = new Map<string, Principal>()
  readonly #keys: readonly { readonly digest: Buffer; readonly principal: Principal }[]

  /**
   * @throws OrraError `principals_overlap` when the sessions of one would be within reach of another,
   *   `principals_ambiguous` when two have the same name or key, `principal_invalid` for a name or key that is empty
   *   or cannot be sent.
   */
  constructor(principals: readonly Principal[]) {
    for (const principal of principals) {
      assertUsable(principal)
      if (this.#byName.has(principal.name)) {
        throw new OrraError(
          "principals_ambiguous",
          `Two principals are called "${principal.name}": rename one.`,
        )
      }
      for (const other of this.#byName.values()) assertApart(principal, other)
      this.#byName.set(principal.name, principal)
    }
    this.#keys = principals.flatMap((principal) =>
      principal.key === undefined ? [] : [{ digest: sha256(principal.key), principal }],
    )
    if (new Set(this.#keys.map(({ digest }) => digest.toString("hex"))).size < this.#keys.length) {
      throw new OrraError("principals_ambiguous", "Two principals have the same key: give each its own.")
    }
  }

  get all(): readonly Principal[] {
    return [...this.#byName.values()]
  }

  named(name: string): Principal | undefined {
    return this.#byName.get(name)
  }

  /** Looks at every key whichever fits, so that the time it takes tells nothing. */
  withKey(key: string): Principal | undefined {
    const digest = sha256(key)
    let found: Principal | undefined
    for (const entry of this.#keys) if (timingSafeEqual(entry.digest, digest)) found = entry.principal
    return found
  }
}

/** An empty key would be a way in for everybody, and one that no header can carry a way in for nobody. */
function assertUsable({ name, key }: Principal): void {
  if (name === "") throw new OrraError("principal_invalid", "A principal needs a name.")
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return
  throw new OrraError(
    "principal_invalid",
    `The key of "${name}" must be letters, digits and signs without spaces, at least one.`,
  )
}

function assertApart(a: Principal, b: Principal): void {
  if (!a.namespace.contains(b.namespace) && !b.namespace.contains(a.namespace)) return
  throw new OrraError(
    "principals_overlap",
    `"${a.name}" (${a.namespace.key}) and "${b.name}" (${b.namespace.key}) would see each other's sessions: give them namespaces that do not contain one another.`,
  )
}
