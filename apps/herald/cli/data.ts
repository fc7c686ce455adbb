import { createReadStream, createWriteStream, existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import { resolve } from "node:path"
import { createInterface } from "node:readline/promises"
import { pipeline } from "node:stream/promises"
import { eraseNamespace, everyItem, exportNamespace, importNamespace, Namespace, OrraError } from "@orra/core"
import { type LoadedConfig, principals } from "../server/config/load.ts"
import { openDataDirectory } from "../server/data/directory.ts"
import { databaseFile, type HeraldStore, openStore, takeDatabase } from "../server/data/store.ts"
import { workFolder } from "../server/tools/work-folders.ts"
import type { DataTask } from "./flags.ts"

/**
 * What is done with the data of somebody while Herald itself does not run: no answer is being written then, and nothing is
 * in another process's memory.
 *
 * @returns what to say of it.
 * @throws OrraError `data_dir_in_use` or `database_in_use` while Herald runs, `not_confirmed`, and what the store and the export say.
 */
export async function changeData(loaded: LoadedConfig, task: DataTask, cwd: string): Promise<string> {
  const directory = openDataDirectory(loaded.dataDir)
  try {
    const store = await openStore(loaded)
    try {
      const isFile = databaseFile(loaded) !== undefined
      const giveBack = isFile ? async () => {} : await takeDatabase(store, directory.path, () => {})
      try {
        return await carriedOut(store, loaded, task, cwd)
      } finally {
        await giveBack()
      }
    } finally {
      await store.close()
    }
  } finally {
    directory.release()
  }
}

function carriedOut(store: HeraldStore, loaded: LoadedConfig, task: DataTask, cwd: string): Promise<string> {
  switch (task.type) {
    case "export":
      return exported(store, task, cwd)
    case "import":
      return imported(store, task, cwd)
    case "erase":
      return erased(store, loaded, task)
  }
}

async function exported(
  store: HeraldStore,
  { namespace, file: name }: DataTask & { type: "export" },
  cwd: string,
): Promise<string> {
  const lines = exportNamespace(store, Namespace.parse(namespace))
  if (name === undefined) {
    await pipeline(lines, process.stdout, { end: false })
    return ""
  }
  const file = resolve(cwd, name)
  if (existsSync(file))
    throw new OrraError("file_exists", `${file} is there already: name a new file.`, { file })
  await pipeline(lines, createWriteStream(file, { flags: "wx", mode: 0o600 }))
  return `Exported ${namespace} to ${file}.`
}

async function imported(
  store: HeraldStore,
  { file: name, skipExisting }: DataTask & { type: "import" },
  cwd: string,
): Promise<string> {
  const file = resolve(cwd, name)
  if (!existsSync(file)) throw new OrraError("file_not_found", `There is no file ${file}.`, { file })
  const { sessions, records, skipped } = await importNamespace(store, createReadStream(file), {
    existing: skipExisting ? "skip" : "fail",
  })
  return `Imported ${sessions} chats and ${records} other records; ${skipped} were there already.`
}

async function erased(
  store: HeraldStore,
  loaded: LoadedConfig,
  { namespace: key, yes }: DataTask & { type: "erase" },
): Promise<string> {
  const namespace = Namespace.parse(key)
  let sessions = 0
  for (const deleted of [false, true]) {
    for await (const _ of everyItem((page) => store.list(namespace, { deleted, ...page }))) sessions++
  }
  if (!yes) await confirm(key, sessions)
  await eraseNamespace(store, namespace)
  for (const person of principals(loaded.config)) {
    if (namespace.contains(person))
      await rm(workFolder(loaded.dataDir, person), { recursive: true, force: true })
  }
  return `Erased ${sessions} chats of ${key}, and all else that was kept for it. The log names its chats until it is replaced.`
}

async function confirm(key: string, sessions: number): Promise<void> {
  const asking = `This removes ${sessions} chats of ${key} and all else that is kept for it, for good. To go on, type ${key}: `
  const refused = new OrraError(
    "not_confirmed",
    "Nothing was erased. To erase without being asked, add --yes.",
  )
  if (!process.stdin.isTTY) throw refused
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    if ((await terminal.question(asking)) !== key) throw refused
  } finally {
    terminal.close()
  }
}
