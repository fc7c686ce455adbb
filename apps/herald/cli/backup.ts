import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { basename, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { errorMessage, isObject, OrraError, parseJson, randomId } from "@orra/core"
import { create, extract, type WriteEntry } from "tar"
import type { LoadedConfig } from "../server/config/load.ts"
import { openDataDirectory } from "../server/data/directory.ts"
import { keptIn, putInPlace, UNPACKING } from "../server/data/restore.ts"
import { databaseFile } from "../server/data/store.ts"

export type BackupTask =
  | { readonly type: "backup"; readonly file?: string }
  | { readonly type: "restore"; readonly file: string; readonly replace: boolean }

const FORMAT = 1
const MANIFEST = "backup.json"
const DATABASE = "herald.db"

/**
 * Writes or reads back everything that is kept. A backup may be made while Herald runs: the database is copied as it is at
 * one moment, without keeping anybody waiting.
 *
 * @returns what to say of it.
 * @throws OrraError `backup_elsewhere`, `no_data`, `file_exists`, `file_not_found`, `backup_damaged`, `backup_too_new`, `data_dir_not_empty`,
 *   `data_dir_in_use`.
 */
export async function keepOrBringBack(
  loaded: LoadedConfig,
  task: BackupTask,
  { cwd, version }: { readonly cwd: string; readonly version: string },
): Promise<string> {
  if (databaseFile(loaded) === undefined)
    throw new OrraError(
      "backup_elsewhere",
      `What is kept is in PostgreSQL: use pg_dump and pg_restore, schema herald, and copy ${loaded.dataDir} besides.`,
    )
  return await (task.type === "backup" ? backup(loaded, task.file, cwd, version) : restore(loaded, task, cwd))
}

async function backup(
  { dataDir, file: config }: LoadedConfig,
  name: string | undefined,
  cwd: string,
  version: string,
): Promise<string> {
  if (!existsSync(join(dataDir, DATABASE)))
    throw new OrraError(
      "no_data",
      `There is nothing to keep in ${dataDir}: name the data directory with --data-dir.`,
    )
  const at = new Date()
  const file = resolve(cwd, name ?? `herald-${at.toISOString().slice(0, 16).replace(":", "")}.tar.gz`)
  if (existsSync(file))
    throw new OrraError("file_exists", `${file} is there already: name a new file.`, { file })
  const staged = `restore-${randomId()}`
  const half = `${file}.part`
  try {
    mkdirSync(join(dataDir, staged), { mode: 0o700 })
    copyDatabase(join(dataDir, DATABASE), join(dataDir, staged, DATABASE))
    writeFileSync(
      join(dataDir, staged, MANIFEST),
      `${JSON.stringify({ format: FORMAT, version, at: at.toISOString() })}\n`,
    )
    await create(
      {
        file: half,
        cwd: dataDir,
        gzip: true,
        portable: true,
        mode: 0o600,
        onWriteEntry: (entry: WriteEntry) => {
          if (entry.path.startsWith(`${staged}/`)) entry.path = entry.path.slice(staged.length + 1)
        },
      },
      [`${staged}/${MANIFEST}`, `${staged}/${DATABASE}`, ...keptIn(dataDir)],
    )
    writeOut(half)
    renameSync(half, file)
  } finally {
    rmSync(join(dataDir, staged), { recursive: true, force: true })
    rmSync(half, { force: true })
  }
  const own = config === undefined ? "" : ` Your ${basename(config)} is not in it: keep a copy beside it.`
  return `Everything in ${dataDir} is in ${file}. Whoever has that file can read all chats.${own}`
}

/** As of one moment, whoever writes meanwhile. */
function copyDatabase(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true })
  try {
    database.prepare("VACUUM INTO ?").run(to)
  } finally {
    database.close()
  }
}

function writeOut(file: string): void {
  const descriptor = openSync(file, "r+")
  fsyncSync(descriptor)
  closeSync(descriptor)
}

async function restore(
  { dataDir }: LoadedConfig,
  { file: name, replace }: BackupTask & { type: "restore" },
  cwd: string,
): Promise<string> {
  const file = resolve(cwd, name)
  if (!existsSync(file)) throw new OrraError("file_not_found", `There is no file ${file}.`, { file })
  const directory = openDataDirectory(dataDir)
  try {
    if (existsSync(directory.database) && !replace) {
      throw new OrraError(
        "data_dir_not_empty",
        `There is data in ${dataDir} already. To put the backup in its place add --replace: what is there is moved aside, and not removed.`,
        { path: dataDir },
      )
    }
    const unpacked = join(dataDir, UNPACKING)
    rmSync(unpacked, { recursive: true, force: true })
    mkdirSync(unpacked, { mode: 0o700 })
    try {
      await unpack(file, unpacked)
    } catch (error) {
      rmSync(unpacked, { recursive: true, force: true })
      throw error
    }
    const { at } = manifestIn(unpacked, file)
    rmSync(join(unpacked, MANIFEST))
    const before = putInPlace(dataDir)
    const old = before === undefined ? "" : ` What was there is in ${join(dataDir, before)}.`
    return `${dataDir} is as it was at ${at}.${old} Keys that were in another machine's keychain are entered again in the settings.`
  } finally {
    directory.release()
  }
}

async function unpack(file: string, to: string): Promise<void> {
  try {
    await extract({ file, cwd: to, strict: true, preserveOwner: false })
  } catch (error) {
    throw damaged(file, error)
  }
  manifestIn(to, file)
  let said: unknown
  try {
    const database = new DatabaseSync(join(to, DATABASE), { readOnly: true })
    said = database.prepare("PRAGMA integrity_check").get()?.["integrity_check"]
    database.close()
  } catch (error) {
    throw damaged(file, error)
  }
  if (said !== "ok") throw damaged(file, said)
}

function manifestIn(folder: string, file: string): { readonly at: string } {
  let manifest: unknown
  try {
    manifest = parseJson(readFileSync(join(folder, MANIFEST), "utf8"))
  } catch (error) {
    throw damaged(file, error)
  }
  if (!isObject(manifest) || typeof manifest["at"] !== "string") throw damaged(file)
  if (manifest["format"] !== FORMAT) {
    throw new OrraError("backup_too_new", `${file} was written by a newer Herald: update this one first.`, {
      file,
    })
  }
  return { at: manifest["at"] }
}

const damaged = (file: string, cause?: unknown): OrraError =>
  new OrraError(
    "backup_damaged",
    `${file} is no whole backup of Herald${cause instanceof Error ? ` (${errorMessage(cause)})` : ""}: use another. Nothing was changed.`,
    { file },
    cause,
  )
