import {
  type Compilable,
  type CompiledQuery,
  createQueryId,
  type DataTypeNode,
  PostgresQueryCompiler,
  type QueryCompiler,
  type RootOperationNode,
  type SelectModifierNode,
  SqliteQueryCompiler,
} from "kysely"

export type Dialect = "sqlite" | "postgres"

/** A value as both databases take it. */
export type SqlValue = string | number | null

/** A query compiled once for each database. Its parameters are given by name each time it runs. */
export interface Statement<Parameters, Row> {
  readonly text: Readonly<Record<Dialect, string>>
  readonly bind: (parameters: Parameters) => readonly SqlValue[]
  /** PostgreSQL plans it each time, for its parameters. */
  readonly anew?: true
  /** Never there: carries the type of a row. */
  readonly row?: Row
}

/** A change of the schema, or of all rows. */
export interface Change {
  toOperationNode(): RootOperationNode
}

/** A statement that a query builder has made. */
export type Built<Row> = Compilable<Row> & Change

/** Text is compared by its bytes, as SQLite does: an order that no locale and no upgrade changes. */
class Postgres extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node)
    if (node.dataType === "text") this.append(' collate "C"')
  }
}

/** Rows need no lock where one transaction writes at a time. */
class Sqlite extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (!node.modifier?.startsWith("For")) super.visitSelectModifier(node)
  }
}

const compiler = (dialect: Dialect): QueryCompiler => (dialect === "sqlite" ? new Sqlite() : new Postgres())

export const compiled = (built: Change, dialect: Dialect): CompiledQuery =>
  compiler(dialect).compileQuery(built.toOperationNode(), createQueryId())

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/**
 * Compiles a query once. The query builder sees a placeholder for every parameter, so the builder must pass them
 * on as they are.
 */
export function statement<P extends Readonly<Record<string, SqlValue>>, Row>(
  build: (parameters: P) => Built<Row>,
): Statement<P, Row> {
  const names = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as P
  const built = build(names)
  const { parameters, sql } = compiled(built, "sqlite")
  const bind = (values: P): readonly SqlValue[] =>
    parameters.map((value) =>
      value instanceof Placeholder ? (values[value.name] ?? null) : (value as SqlValue),
    )
  return { text: { sqlite: sql, postgres: compiled(built, "postgres").sql }, bind }
}
