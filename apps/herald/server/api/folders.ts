import {
  agentKey,
  everyItem,
  InvalidInput,
  type JsonObject,
  type Namespace,
  NotFound,
  OrraError,
  type Runtime,
  SessionBusy,
  type SessionInfo,
} from "@orra/core"
import { type GatewayRequest, HttpError, ownNamespace, type Route, type WireSession } from "@orra/gateway"
import type { Agents } from "../agents/agents.ts"
import { FOLDER, type Folder, type Folders } from "../chats/folders.ts"
import type { ChosenFolders } from "../tools/work-folders.ts"
import { jsonRoutes } from "./json-route.ts"

/** Chats in folders that are listed, the most recently used ones. */
const MAX_CHATS = 1_000
const LEASE_MS = 60_000

const folder = "/api/folders/:id"

interface FolderApiOptions {
  readonly folders: Folders
  readonly agents: Agents
  readonly runtime: Runtime
  /** The namespaces of those who may talk to this Herald. */
  readonly people: readonly Namespace[]
  /** Where tools may work, as the configuration is now. */
  readonly directories: () => ChosenFolders
}

/** What a person does with the folders of their chats; documented in docs/herald/api.md. */
export function folderRoutes(options: FolderApiOptions): readonly Route[] {
  const { folders, agents, runtime, people } = options
  agents.onChange(async (change) => {
    if (change.type === "renamed") await follow(folders, people, change.from, change.to)
  })
  const route = jsonRoutes(withStatus)
  return [
    route("GET", "/api/folders", async ({ principal: { namespace } }) => {
      const found = await folders.list(namespace)
      return { folders: found, chats: await chatsIn(runtime, namespace, found) }
    }),
    route("POST", "/api/folders", async ({ principal: { namespace }, body }) => {
      const fields = await body()
      await assertPossible(options, namespace, fields)
      return { folder: await folders.create(namespace, fields) }
    }),
    route("PATCH", folder, async (request) => {
      const { version, ...fields } = await request.body()
      if (version !== undefined && typeof version !== "number")
        throw new InvalidInput('"version" is the one that was read.')
      const { namespace } = request.principal
      await assertPossible(options, namespace, fields)
      return { folder: await folders.update(namespace, idOf(request), fields, version) }
    }),
    route("DELETE", folder, async (request) => {
      await folders.remove(request.principal.namespace, idOf(request))
      return { deleted: true }
    }),
    route("POST", `${folder}/restore`, async (request) => ({
      folder: await folders.restore(request.principal.namespace, idOf(request)),
    })),
    route("PUT", "/api/sessions/:namespace/folder", async (request) => await file(options, request)),
  ]
}

const idOf = ({ params }: GatewayRequest): string => params["id"] ?? ""

/** @throws what says that there is no such agent, or that tools may not work there. */
async function assertPossible(
  { agents, directories }: FolderApiOptions,
  person: Namespace,
  { agent, directory }: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (typeof agent === "string" && !agents.find(agent))
    throw new InvalidInput("There is no such agent (any more): choose another.")
  if (typeof directory === "string" && (await directories().within(person, directory)) === undefined)
    throw new HttpError(
      400,
      "directory_refused",
      "There is no such folder to work in: choose one of those shown.",
    )
}

/** The chats in these folders, the most recently used first; what is archived is out of the way there as well. */
async function chatsIn(
  runtime: Runtime,
  person: Namespace,
  folders: readonly Folder[],
): Promise<readonly WireSession[]> {
  if (folders.length === 0) return []
  const ids = new Set<unknown>(folders.map(({ id }) => id))
  const chats: WireSession[] = []
  for await (const info of everyItem((page) => runtime.list(person, page))) {
    const { namespace, metadata } = info
    if (!ids.has(metadata[FOLDER]) || metadata["archived"] === true) continue
    chats.push({
      ...info,
      namespace: namespace.key,
      running: info.openRun !== undefined && runtime.isRunning(namespace),
    })
    if (chats.length === MAX_CHATS) break
  }
  return chats
}

/** Puts a chat into a folder, or takes it out. One that has not begun begins there. */
async function file(
  { folders, agents, runtime }: FolderApiOptions,
  { principal, params, body }: GatewayRequest,
): Promise<unknown> {
  const person = principal.namespace
  const namespace = ownNamespace(principal, params["namespace"])
  const { folder: id } = await body()
  if (id !== null && typeof id !== "string") throw new InvalidInput('"folder" is the id of one, or null.')
  const chosen = id === null ? undefined : await folders.get(person, id)
  if (id !== null && !chosen) throw new NotFound("folder")
  const info = await runtime.info(namespace)
  if (info) await move(runtime, info, chosen)
  else if (chosen) {
    if (namespace.equals(person) || namespace.segments.some((segment) => segment.startsWith("~")))
      throw new InvalidInput("Only chats that are kept are in folders.")
    const agent = chosen.agent === null ? undefined : agents.find(chosen.agent)?.name
    await begin(runtime, namespace, { [FOLDER]: chosen.id, ...(agent !== undefined && { agent }) })
  }
  return { folder: chosen?.id ?? null }
}

async function move(runtime: Runtime, info: SessionInfo, to: Folder | undefined): Promise<void> {
  if (info.metadata["deletedAt"] !== undefined)
    throw new HttpError(404, "not_found", "There is no such session.")
  await runtime.update(info.namespace, { [FOLDER]: to?.id ?? null })
}

/** A chat in which nothing has been said. @throws SessionBusy when somebody begins it otherwise at the same moment. */
async function begin({ store }: Runtime, namespace: Namespace, patch: JsonObject): Promise<void> {
  const lease = await store.acquire(namespace, "folder", LEASE_MS)
  if (!lease) throw new SessionBusy()
  try {
    const at = (await store.now?.()) ?? Date.now()
    await store.append(namespace, [{ type: "meta", at, patch }], { expected: 0, lease })
  } finally {
    await store.release(lease)
  }
}

/** An agent has another name: the folders that are with it stay with it. */
async function follow(
  folders: Folders,
  people: readonly Namespace[],
  from: string,
  to: string,
): Promise<void> {
  for (const person of people)
    for (const { id, agent } of await folders.list(person))
      if (agent !== null && agentKey(agent) === agentKey(from))
        await folders.update(person, id, { agent: to })
}

function withStatus(error: unknown): unknown {
  if (error instanceof NotFound) return new HttpError(404, "not_found", "There is no such folder (any more).")
  if (error instanceof OrraError && error.code === "version_conflict")
    return new HttpError(409, error.code, "This folder was changed elsewhere: look at it again.")
  return error
}
