import type { Access } from "./access.ts"
import { HttpError } from "./errors.ts"

/** What stays open after its request was let in: a WebSocket, or a stream of events. */
export interface Connection {
  /** Says why, where the protocol can, and closes. */
  close(code: number, reason: string): void
  /** Closes at once. */
  terminate(): void
}

/** What is open and for whom, so that it can be limited, and closed when a login ends. */
export class Connections {
  readonly #open = new Map<Connection, Access>()
  readonly #perPrincipal = new Map<string, number>()
  readonly #max: number

  /** @param max - connections of one principal at the same time. */
  constructor(max: number) {
    this.#max = max
  }

  /** @throws HttpError 429 when the principal has as many as it may. */
  assertRoom({ principal }: Access): void {
    if ((this.#perPrincipal.get(principal.name) ?? 0) < this.#max) return
    throw new HttpError(429, "too_many_connections", "Close some of your connections first.")
  }

  add(connection: Connection, access: Access): void {
    const { name } = access.principal
    this.#open.set(connection, access)
    this.#perPrincipal.set(name, (this.#perPrincipal.get(name) ?? 0) + 1)
  }

  remove(connection: Connection): void {
    const access = this.#open.get(connection)
    if (!access) return
    const { name } = access.principal
    this.#open.delete(connection)
    const left = (this.#perPrincipal.get(name) ?? 1) - 1
    if (left > 0) this.#perPrincipal.set(name, left)
    else this.#perPrincipal.delete(name)
  }

  /** The logins that have something open. */
  get logins(): ReadonlySet<string> {
    return new Set([...this.#open.values()].flatMap(({ login }) => (login ? [login.id] : [])))
  }

  closeLogin(loginId: string): void {
    for (const [connection, { login }] of this.#open)
      if (login?.id === loginId) connection.close(4401, "logged out")
  }

  close(): void {
    for (const connection of this.#open.keys()) connection.close(1001, "the server is stopping")
  }

  terminate(): void {
    for (const connection of this.#open.keys()) connection.terminate()
  }
}
