import { readdir } from "node:fs/promises"
import { join, normalize } from "node:path"
import {
  callerOf,
  type Hooks,
  InvalidInput,
  isObject,
  type JsonObject,
  type Namespace,
  type Records,
  type Runtime,
  type SessionInfo,
} from "@orra/core"
import { type GatewayRequest, HttpError, ownNamespace, type Route } from "@orra/gateway"
import type { FolderOf } from "../chats/folders.ts"
import { type ChosenFolders, WORKING_DIRECTORY } from "../tools/work-folders.ts"

/** So many folders in one are shown. */
const MAX_SHOWN = 500
const MAX_PATH = 4_096
/** What was chosen for a chat that has not begun, under its own namespace. */
const CHOSEN = "chosen"

const session = "/api/sessions/:namespace/directory"

export interface Directories {
  /** Gives a session its folder when it begins: what was chosen before, or that of the chat which has handed on the task. */
  readonly hooks: Hooks
  /** The folder that a chat works in, begun or not: chosen for it, or that of the folder it is in; null: the usual one. */
  readonly current: (namespace: Namespace, info: SessionInfo | undefined) => Promise<string | null>
  /** Documented in docs/herald/api.md. */
  readonly routes: readonly Route[]
}

/** The folder that each chat works in: chosen by whoever has the chat, from what the configuration gives them. */
export function directories(parts: {
  /** As the configuration is now. */
  readonly folders: () => ChosenFolders
  readonly records: Records
  readonly runtime: () => Runtime
  /** Chats in it that have no directory of their own work in that of the folder. */
  readonly folderOf: FolderOf
}): Directories {
  const { folders, records, runtime, folderOf } = parts

  const waiting = async (namespace: Namespace): Promise<string | undefined> => {
    const value = (await records.get(namespace, CHOSEN))?.value
    return isObject(value) && typeof value["directory"] === "string" ? value["directory"] : undefined
  }

  /** What a chat without a directory gets when its next run begins. */
  const coming = async (namespace: Namespace, metadata: JsonObject): Promise<string | null> =>
    (await waiting(namespace)) ?? (await folderOf(namespace, metadata))?.directory ?? null

  const current = async (namespace: Namespace, info: SessionInfo | undefined): Promise<string | null> => {
    const own = info?.metadata[WORKING_DIRECTORY]
    return typeof own === "string" ? own : await coming(namespace, info?.metadata ?? {})
  }

  const read = async (request: GatewayRequest): Promise<Response> => {
    const { namespace, info } = await ownChat(request)
    const roots = await folders().of(namespace)
    const directory = await current(namespace, info)
    const path = request.query.get("path")
    if (path === null) return Response.json({ directory, roots })
    const real = await folders().within(namespace, path)
    if (real === undefined) throw refused()
    return Response.json({ directory, roots, path, folders: await foldersIn(real, path) })
  }

  const change = async (request: GatewayRequest): Promise<Response> => {
    const { directory } = await request.body()
    if (directory !== null && (typeof directory !== "string" || directory.length > MAX_PATH))
      throw new InvalidInput('"directory" must be the path of a folder, or null for the usual one.')
    const { namespace, info } = await ownChat(request)
    const chosen = directory ? normalize(directory) : null
    if (chosen !== null && (await folders().within(namespace, chosen)) === undefined) throw refused()
    if (info) await runtime().update(namespace, { [WORKING_DIRECTORY]: chosen })
    // One that has begun may have chosen before, and not have run since.
    if (info || chosen === null) await records.delete(namespace, CHOSEN)
    else await records.put(namespace, CHOSEN, { directory: chosen })
    return Response.json({ directory: chosen ?? (await coming(namespace, info?.metadata ?? {})) })
  }

  return {
    current,
    routes: [
      { method: "GET", path: session, permission: "chat", handle: read },
      { method: "PUT", path: session, permission: "chat", handle: change },
    ],
    hooks: {
      name: "directories",
      async runStart({ namespace, metadata }) {
        if (metadata[WORKING_DIRECTORY] !== undefined) return
        const caller = callerOf(namespace)
        const directory = caller
          ? (await runtime().info(caller.namespace))?.metadata[WORKING_DIRECTORY]
          : await coming(namespace, metadata)
        if (typeof directory !== "string") return
        await runtime().update(namespace, { [WORKING_DIRECTORY]: directory })
        if (!caller) await records.delete(namespace, CHOSEN)
      },
    },
  }
}

/** The same for what is not there and for what is somebody else's. */
const refused = (): HttpError =>
  new HttpError(400, "directory_refused", "There is no such folder to work in: choose one of those shown.")

/** A chat of the person's, begun or not, but not a deleted one. */
export async function ownChat({ runtime, principal, params }: GatewayRequest): Promise<{
  readonly namespace: Namespace
  readonly info: SessionInfo | undefined
}> {
  const namespace = ownNamespace(principal, params["namespace"])
  const info = await runtime.info(namespace)
  if (info?.metadata["deletedAt"] !== undefined)
    throw new HttpError(404, "not_found", "There is no such session.")
  return { namespace, info }
}

/** The folders in one, by name; hidden ones and links are left out. */
async function foldersIn(real: string, path: string): Promise<readonly string[]> {
  const entries = await readdir(real, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => join(path, entry.name))
    .sort()
    .slice(0, MAX_SHOWN)
}
