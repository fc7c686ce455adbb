import {
  everyItem,
  InvalidInput,
  isObject,
  type JsonObject,
  type Namespace,
  NotFound,
  type Records,
  randomId,
  type SessionStore,
} from "@orra/core"

/** The key of a session's metadata that has the id of the folder its chat is in. */
export const FOLDER = "folder"

/** Folders of one person. */
const MAX_FOLDERS = 100
/** In code points. */
const MAX_NAME = 80
/** In characters. */
const MAX_INSTRUCTIONS = 8_000
const MAX_AGENT = 64
const MAX_DIRECTORY = 4_096
/** How long a deleted folder can be brought back. */
const UNDO_MS = 10 * 60_000

/** The folder that a session is in, by its metadata. */
export type FolderOf = (session: Namespace, metadata: JsonObject) => Promise<Folder | undefined>

/** What a person says of a folder. */
export interface FolderInput {
  readonly name: string
  /** What agents are told in all chats of it; empty for nothing. */
  readonly instructions: string
  /** Who answers in chats that begin in it; null for the default. */
  readonly agent: string | null
  /** Where tools work in chats that have chosen no directory themselves; null for the usual one. */
  readonly directory: string | null
}

/** Chats of a person that belong together. A chat says itself which folder it is in. */
export interface Folder extends FolderInput {
  readonly id: string
  /** For changes, which name the one they saw. */
  readonly version: number
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The folders of each person, in the person's own records. One that was deleted is kept for ten minutes, and its chats
 * still name it: bringing it back brings all of it back. To everybody else it is not there.
 */
export class Folders {
  readonly #records: Records
  readonly #now: () => Promise<number>

  constructor(store: Pick<SessionStore, "records" | "now">) {
    this.#records = store.records("chat-folders")
    this.#now = async () => (await store.now?.()) ?? Date.now()
  }

  /** By name. What was deleted too long ago is removed for good. */
  async list(person: Namespace): Promise<readonly Folder[]> {
    const folders: Folder[] = []
    const now = await this.#now()
    for await (const { key, version, value } of everyItem((page) => this.#records.list(person, page))) {
      const { deletedAt } = value as JsonObject
      if (deletedAt === undefined) folders.push({ id: key, version, ...inputIn(value) })
      else if (Number(deletedAt) + UNDO_MS <= now) await this.#records.delete(person, key)
    }
    return folders.sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Undefined for one that is not there, or no longer. */
  async get(person: Namespace, id: string): Promise<Folder | undefined> {
    if (!isId(id)) return undefined
    const found = await this.#records.get(person, id)
    if (!found || (found.value as JsonObject)["deletedAt"] !== undefined) return undefined
    return { id, version: found.version, ...inputIn(found.value) }
  }

  /** The folder that a person's chat is in, by the metadata of its session. */
  async of(person: Namespace, metadata: JsonObject): Promise<Folder | undefined> {
    const id = Object.hasOwn(metadata, FOLDER) ? metadata[FOLDER] : undefined
    return typeof id === "string" ? await this.get(person, id) : undefined
  }

  /** @throws InvalidInput for fields that are none, and when there are too many. */
  async create(person: Namespace, fields: Fields): Promise<Folder> {
    const input = { ...EMPTY, ...readFields(fields) }
    if (input.name === "") throw new InvalidInput('"name" is missing: say what the folder is called.')
    if ((await this.list(person)).length >= MAX_FOLDERS)
      throw new InvalidInput(`There are ${MAX_FOLDERS} folders: delete one first.`)
    const id = randomId()
    const version = await this.#records.put(person, id, { ...input }, { expected: 0 })
    return { id, version, ...input }
  }

  /**
   * Changes the fields that are given.
   *
   * @throws InvalidInput; NotFound; VersionConflict when `expected` is not the version there is.
   */
  async update(person: Namespace, id: string, fields: Fields, expected?: number): Promise<Folder> {
    const { version: seen, id: _, ...before } = await this.#existing(person, id)
    const input = { ...before, ...readFields(fields) }
    const version = await this.#records.put(person, id, { ...input }, { expected: expected ?? seen })
    return { id, version, ...input }
  }

  /** Its chats stay, in no folder. @throws NotFound. */
  async remove(person: Namespace, id: string): Promise<void> {
    const { version, id: _, ...input } = await this.#existing(person, id)
    const deletedAt = await this.#now()
    await this.#records.put(person, id, { ...input, deletedAt }, { expected: version })
  }

  /** Brings one back that was deleted. @throws NotFound. */
  async restore(person: Namespace, id: string): Promise<Folder> {
    const found = isId(id) ? await this.#records.get(person, id) : undefined
    const deletedAt = found && (found.value as JsonObject)["deletedAt"]
    if (!found || typeof deletedAt !== "number" || deletedAt + UNDO_MS <= (await this.#now()))
      throw new NotFound("folder")
    const input = inputIn(found.value)
    const version = await this.#records.put(person, id, { ...input }, { expected: found.version })
    return { id, version, ...input }
  }

  async #existing(person: Namespace, id: string): Promise<Folder> {
    const folder = await this.get(person, id)
    if (!folder) throw new NotFound("folder")
    return folder
  }
}

const EMPTY: FolderInput = { name: "", instructions: "", agent: null, directory: null }

const isId = (id: string): boolean => /^[\w-]{1,64}$/.test(id)

/** As it was written by this class. */
function inputIn(value: unknown): FolderInput {
  const { name, instructions, agent, directory } = isObject(value) ? value : {}
  return {
    name: String(name),
    instructions: String(instructions),
    agent: typeof agent === "string" ? agent : null,
    directory: typeof directory === "string" ? directory : null,
  }
}

/** @throws InvalidInput. */
function readFields(fields: Fields): Partial<FolderInput> {
  const { name, instructions, agent, directory, ...others } = fields
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new InvalidInput(
      `"${other.slice(0, 40)}" is not a field: there are name, instructions, agent, directory.`,
    )
  return {
    ...(name !== undefined && { name: nameIn(name) }),
    ...(instructions !== undefined && { instructions: instructionsIn(instructions) }),
    ...(agent !== undefined && { agent: textOrNull("agent", agent, MAX_AGENT) }),
    ...(directory !== undefined && { directory: textOrNull("directory", directory, MAX_DIRECTORY) }),
  }
}

function nameIn(value: unknown): string {
  const name =
    typeof value === "string"
      ? value
          .toWellFormed()
          .replace(/[\p{Cc}\s]+/gu, " ")
          .trim()
      : ""
  if (name === "" || [...name].length > MAX_NAME)
    throw new InvalidInput(`"name" is text of 1 to ${MAX_NAME} characters.`)
  return name
}

function instructionsIn(value: unknown): string {
  if (typeof value !== "string" || value.length > MAX_INSTRUCTIONS)
    throw new InvalidInput(`"instructions" is text of at most ${MAX_INSTRUCTIONS} characters.`)
  return value.toWellFormed().trim()
}

function textOrNull(name: string, value: unknown, max: number): string | null {
  if (value === null) return null
  if (typeof value !== "string" || value === "" || value.length > max)
    throw new InvalidInput(`"${name}" is text of 1 to ${max} characters, or null.`)
  return value
}
