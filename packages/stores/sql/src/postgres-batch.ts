import type { Connection, Submittable } from "pg"
import type { Outcome } from "./operation.ts"
import type { SqlValue } from "./statement.ts"

/** A statement to be sent. With a name it is prepared once on each connection, under that name. */
export interface Request {
  readonly name?: string
  readonly text: string
  readonly values: readonly SqlValue[]
}

/** The number of a type in PostgreSQL's catalog. */
const BIGINT = 20
const INTEGER = 23
const BOOLEAN = 16

const prepared = new WeakMap<Connection, Set<string>>()

/**
 * Statements that travel together and are answered together: one transaction, unless they say otherwise, in one round
 * trip. The driver knows one statement at a time, each a transaction with a round trip of its own.
 */
export class Batch implements Submittable {
  readonly #requests: readonly Request[]
  readonly #outcomes: Outcome[] = []
  readonly #done = Promise.withResolvers<readonly Outcome[]>()
  #columns: readonly Column[] = []
  #rows: unknown[] = []
  #connection: Connection | undefined

  constructor(requests: readonly Request[]) {
    this.#requests = requests
  }

  /** What came of each; rejects when one was refused or the connection broke. */
  get outcomes(): Promise<readonly Outcome[]> {
    return this.#done.promise
  }

  /** False while nothing of it can have been carried out. */
  get sent(): boolean {
    return this.#connection !== undefined
  }

  submit(connection: Connection): void {
    this.#connection = connection
    const known = preparedOn(connection)
    connection.stream.cork()
    for (const { name = "", text, values } of this.#requests) {
      if (!known.has(name)) {
        // Whether it was prepared in a batch that failed is not known.
        if (name !== "") connection.close({ type: "S", name }, true)
        connection.parse({ name, text, types: [] }, true)
        if (name !== "") known.add(name)
      }
      connection.bind({ statement: name, values: values.map(toText) }, true)
      connection.describe({ type: "P" }, true)
      connection.execute(null, true)
    }
    connection.sync()
    connection.stream.uncork()
  }

  handleRowDescription({ fields }: { readonly fields: readonly Column[] }): void {
    this.#columns = fields
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#rows.push(
      Object.fromEntries(this.#columns.map((column, index) => [column.name, parsed(column, fields[index])])),
    )
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#outcomes.push({ rows: this.#rows, changed: Number(/\d+$/.exec(text)?.[0] ?? 0) })
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.#done.resolve(this.#outcomes)
  }

  handleError(error: unknown): void {
    const known = this.#connection && preparedOn(this.#connection)
    for (const { name } of this.#requests) if (name !== undefined) known?.delete(name)
    this.#done.reject(error)
  }
}

interface Column {
  readonly name: string
  readonly dataTypeID: number
}

function preparedOn(connection: Connection): Set<string> {
  const known = prepared.get(connection) ?? new Set()
  prepared.set(connection, known)
  return known
}

const toText = (value: SqlValue): string | null => (value === null ? null : String(value))

/** Numbers, counters and times stay below 2^53. */
function parsed({ dataTypeID }: Column, text: string | null | undefined): unknown {
  if (text === null || text === undefined) return null
  if (dataTypeID === BIGINT || dataTypeID === INTEGER) return Number(text)
  return dataTypeID === BOOLEAN ? text === "t" : text
}
