import { keyOf, type Namespace } from "@orra/core"
import type { Built, Change, Statement } from "./statement.ts"

/** A statement that is always the same, or a query put together for this time. */
export type SqlStep =
  | {
      readonly type: "statement"
      readonly statement: Statement<never, unknown>
      readonly parameters: unknown
      /** `lists`: as lists of values instead of objects. Only of SQLite. */
      readonly rows: boolean | "lists"
    }
  | { readonly type: "query"; readonly query: Change; readonly rows: boolean }

/** One step of an operation. `within` says whose rows the steps after it may see and write: those at or below a key. */
export type Step = SqlStep | { readonly type: "within"; readonly ns: string }

/** What came of a step: its rows, or how many rows it changed. */
export interface Outcome {
  readonly rows: readonly unknown[]
  readonly changed: number
}

/**
 * Something to do in a database, written once for all of them: it hands out its steps one by one and gets what came of
 * each. SQLite carries them out at once, on the calling thread; PostgreSQL over a connection.
 */
export type Operation<T> = Generator<Step, T, Outcome>

/** The operation, where only the rows at or below the namespace exist: PostgreSQL itself shows it no others. */
export function* within<T>(namespace: Namespace, operation: Operation<T>): Operation<T> {
  yield { type: "within", ns: keyOf(namespace) }
  return yield* operation
}

export function* all<P, Row>(statement: Statement<P, Row>, parameters: P): Operation<readonly Row[]> {
  const { rows } = yield { type: "statement", statement, parameters, rows: true }
  return rows as readonly Row[]
}

export function* lists<P, Values>(
  statement: Statement<P, Values>,
  parameters: P,
): Operation<readonly Values[]> {
  const { rows } = yield { type: "statement", statement, parameters, rows: "lists" }
  return rows as readonly Values[]
}

export function* get<P, Row>(statement: Statement<P, Row>, parameters: P): Operation<Row | undefined> {
  const [row] = yield* all(statement, parameters)
  return row
}

/** The number of rows changed. */
export function* run<P>(statement: Statement<P, unknown>, parameters: P): Operation<number> {
  const { changed } = yield { type: "statement", statement, parameters, rows: false }
  return changed
}

export function* select<Row>(query: Built<Row>): Operation<readonly Row[]> {
  const { rows } = yield { type: "query", query, rows: true }
  return rows as readonly Row[]
}
