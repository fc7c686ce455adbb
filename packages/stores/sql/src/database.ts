import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs"
import { basename, dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { StoreError } from "@orra/core"
import { notWritable, storeError } from "./errors.ts"
import type { Operation, Outcome, Step } from "./operation.ts"
import { changesIn, type Migration, migrations } from "./schema.ts"
import { compiled } from "./statement.ts"

/** "Orra", in the file's header: tells our databases from other programs'. */
const APPLICATION_ID = 0x4f727261

const CURRENT_MS = "current_ms()"
const CLOCK = "cast(round(unixepoch('subsec') * 1000) as integer)"

export interface DatabaseOptions {
  readonly path: string
  /** How long a statement waits, blocking, for another process's lock. */
  readonly busyMs: number
  /** The largest the file may grow. */
  readonly maxBytes?: number | undefined
  /** Other migrations than the package's own, for tests of migrating. */
  readonly migrations?: readonly Migration[]
  /** The clock of `current_ms()`. Default: the machine's, as SQLite reads it, which all its processes share. */
  readonly now?: (() => number) | undefined
}

/**
 * The one place where SQL meets the file: runs statements on one connection and turns SQLite's errors into
 * StoreErrors. Every call is synchronous.
 */
export class Database {
  readonly path: string
  readonly #sqlite: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  /** What errors call the file. */
  #name: string
  /** What a statement that asks for the time says. */
  readonly #clock: string

  /** Opens the file, creates it or brings it to the present format. @throws StoreError. */
  constructor(options: DatabaseOptions) {
    this.path = options.path
    this.#name = options.path
    this.#clock = options.now ? CURRENT_MS : CLOCK
    this.#sqlite = this.#guarded(() => openFile(options))
    try {
      this.#guarded(() => this.#prepareFile(options))
    } catch (error) {
      this.close()
      throw error
    }
    this.#name = basename(options.path)
  }

  /** Carries an operation out, at once. */
  perform<T>(operation: Operation<T>): T {
    return this.#guarded(() => {
      let step = operation.next({ rows: [], changed: 0 })
      while (!step.done) step = operation.next(this.#carryOut(step.value))
      return step.value
    })
  }

  /** Runs `work` in one transaction that is on disk when this returns; nothing of it is when it throws. */
  transaction<T>(work: () => T): T {
    return this.#guarded(() => {
      this.#prepare("BEGIN IMMEDIATE").run()
      try {
        const result = work()
        this.#prepare("COMMIT").run()
        return result
      } catch (error) {
        // A full disk makes SQLite roll back by itself.
        if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK")
        throw error
      }
    })
  }

  /** From now on a statement waits this long, blocking, for another process's lock. */
  waitForLocks(ms: number): void {
    this.#sqlite.exec(`PRAGMA busy_timeout = ${Math.floor(ms)}`)
  }

  /** A number that changes whenever another connection, of any process, has written to the file. */
  get dataVersion(): number {
    return this.#guarded(() => this.#pragma("data_version"))
  }

  /** Writes a consistent copy of everything to `path`. */
  copyTo(path: string): void {
    try {
      copyTo(this.#sqlite, path)
    } catch (error) {
      throw storeError(path, path, error)
    }
  }

  /** What is wrong with the file, as SQLite says it; empty when nothing is. Reads all of it. */
  check(): readonly string[] {
    return this.#guarded(() => [
      ...this.#sqlite
        .prepare("PRAGMA integrity_check")
        .all()
        .map((row) => String(row["integrity_check"])),
      ...this.#sqlite
        .prepare("PRAGMA foreign_key_check")
        .all()
        .map((row) => `Orphan in ${String(row["table"])}.`),
    ]).filter((line) => line !== "ok")
  }

  close(): void {
    if (!this.#sqlite.isOpen) return
    this.#prepared.clear()
    this.#sqlite.close()
  }

  #carryOut(step: Step): Outcome {
    // Every statement names its rows by itself; SQLite has no second look at it.
    if (step.type === "within") return { rows: [], changed: 0 }
    const { sql, parameters } =
      step.type === "statement"
        ? { sql: step.statement.text.sqlite, parameters: step.statement.bind(step.parameters as never) }
        : compiled(step.query, "sqlite")
    const prepared = this.#prepare(sql)
    const values = parameters as readonly SQLInputValue[]
    if (step.rows === "lists") prepared.setReturnArrays(true)
    return step.rows
      ? { rows: prepared.all(...values), changed: 0 }
      : { rows: [], changed: Number(prepared.run(...values).changes) }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const prepared = this.#sqlite.prepare(sql.replaceAll(CURRENT_MS, this.#clock))
    this.#prepared.set(sql, prepared)
    return prepared
  }

  #pragma(name: string): number {
    return Number(this.#sqlite.prepare(`PRAGMA ${name}`).get()?.[name])
  }

  #prepareFile({ path, maxBytes, migrations: steps = migrations, now }: DatabaseOptions): void {
    if (now) this.#sqlite.function("current_ms", () => now())
    const format = this.#format(steps)
    this.#sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    // What is deleted is overwritten; a schema that was tampered with runs no function.
    this.#sqlite.exec("PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF")
    // Fewer, larger checkpoints, and a log that shrinks again after a burst. In pages of 4 KiB, and bytes.
    this.#sqlite.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432")
    if (format < steps.length) {
      if (format > 0) copyTo(this.#sqlite, `${path}.format-${format}.backup`)
      this.#migrate(steps)
    }
    if (maxBytes)
      this.#sqlite.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / this.#pragma("page_size"))}`)
  }

  /** The format of the file; 0 when it is new. Changes nothing. */
  #format(steps: readonly Migration[]): number {
    // In this order: where another process makes the file meanwhile, what is read last is the newest.
    const tables = Number(this.#sqlite.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"])
    const format = this.#pragma("user_version")
    if (this.#pragma("application_id") !== APPLICATION_ID) {
      if (format === 0 && tables === 0) return 0
      throw new StoreError(
        "store_foreign",
        `"${this.path}" is another program's database: choose another path.`,
        {
          path: this.path,
        },
      )
    }
    if (format > steps.length) {
      throw new StoreError(
        "store_newer",
        `"${this.path}" was written by a newer version (format ${format}; this one reads up to ${steps.length}). ` +
          `Update this program, or start it with another data directory or a snapshot from before the update.`,
        { path: this.path, format, supported: steps.length },
      )
    }
    return format
  }

  /** All steps in one transaction. Another process may have been first: the format is read again inside. */
  #migrate(steps: readonly Migration[]): void {
    this.transaction(() => {
      for (const step of steps.slice(this.#format(steps))) {
        for (const change of changesIn(step, "sqlite"))
          this.#carryOut({ type: "query", query: change, rows: false })
      }
      this.#sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}`)
    })
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeError(this.path, this.#name, error)
    }
  }
}

/**
 * The connection, to a file that only this user can read. A file made here is never open to others, not briefly.
 *
 * A file that exists is only looked at by its path: closing a descriptor of it would release the locks of every
 * other connection in this process, and SQLite relies on them.
 */
function openFile({ path, busyMs }: DatabaseOptions): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  createFile(path)
  const file = statSync(path)
  if (!file.isFile()) throw notWritable(path, "It is not a file.")
  // SQLite would open a file that it may not write, and complain at the first append.
  accessSync(path, constants.R_OK | constants.W_OK)
  if (file.mode & 0o077) chmodSync(path, 0o600)
  return new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true })
}

/** Makes an empty file, unless there is one: another process may be making it now. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600))
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  }
}

/**
 * Writes a consistent copy of the database to `path`, which then holds the whole of it or what it held before.
 */
function copyTo(sqlite: DatabaseSync, path: string): void {
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  const file = openSync(partial, "wx", 0o600)
  try {
    sqlite.prepare("VACUUM INTO ?").run(partial)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(partial, path)
}
