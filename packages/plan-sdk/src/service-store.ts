import { createHash } from "node:crypto"
import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { everyItem, type Json, type Namespace, OrraError, parseJson, type SessionStore } from "@orra/core"

/**
 * Where a service keeps what it has to know after a restart: what came of each task, by its key. Instances of one service
 * that share a store also share that.
 */
export interface ServiceStore {
  get(key: string): Promise<Json | undefined>
  /** Durable when the promise resolves; a reader sees the old value or the new one, never a part. */
  put(key: string, value: Json): Promise<void>
  /** Forgets what was written before, in ms since 1970. */
  prune(before: number): Promise<void>
}

/** A file for each key in a folder, which is made when it is needed. */
export function fileServiceStore(folder: string): ServiceStore {
  const file = (key: string): string => join(folder, `${createHash("sha256").update(key).digest("hex")}.json`)
  return {
    get: (key) => readJson(file(key)),
    put: (key, value) => writeJson(file(key), value),
    prune: async (before) => {
      for (const name of await readdir(folder).catch(ignoreMissing([]))) {
        const path = join(folder, name)
        const found = await stat(path).catch(ignoreMissing(undefined))
        if (found && found.mtimeMs < before) await unlink(path).catch(ignoreMissing(undefined))
      }
    },
  }
}

/**
 * In a store of Orra, below a namespace of its own for each service: what several instances share.
 *
 * ```ts
 * const store = recordServiceStore(await postgresStore({ url }), Namespace.of("services", "payment"))
 * ```
 */
export function recordServiceStore(store: Pick<SessionStore, "records">, namespace: Namespace): ServiceStore {
  const records = store.records("plan-service")
  return {
    get: async (key) => (await records.get(namespace, key))?.value,
    put: async (key, value) => void (await records.put(namespace, key, value)),
    prune: async (before) => {
      for await (const { key, updatedAt } of everyItem((page) => records.list(namespace, page)))
        if (updatedAt < before) await records.delete(namespace, key)
    },
  }
}

/** @throws OrraError (`plan_store_broken`) for a file that is no JSON. */
export async function readJson(path: string): Promise<Json | undefined> {
  const text = await readFile(path, "utf8").catch(ignoreMissing(undefined))
  if (text === undefined) return undefined
  try {
    return parseJson(text)
  } catch (error) {
    throw new OrraError("plan_store_broken", `${path} is not JSON: remove it.`, { path }, error)
  }
}

let writes = 0

/** All of it or nothing, also when the machine goes off in the middle. */
export async function writeJson(path: string, value: Json): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const made = `${path}.${process.pid}-${++writes}.new`
  const handle = await open(made, "w", 0o600)
  try {
    await handle.writeFile(JSON.stringify(value))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(made, path)
  // Windows knows no handle of a folder, and needs none.
  if (process.platform === "win32") return
  const listed = await open(folder)
  await listed.sync().finally(() => listed.close())
}

const ignoreMissing =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT") return instead
    throw error
  }
