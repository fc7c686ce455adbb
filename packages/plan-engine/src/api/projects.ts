import {
  InvalidInput,
  type Json,
  type Namespace,
  NotFound,
  OrraError,
  type Records,
  randomId,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { apiKeyHash, newApiKey, newId } from "../ids.ts"
import { allIn, timeOf } from "../stored.ts"
import type { Scope } from "./key-scopes.ts"

/** What is told of: the ends of orchestrations, or compensations that failed. */
export type WebhookKind = "webhooks" | "compensationFailureWebhooks"

/** A key of a project, without the key. */
export interface ProjectKey {
  readonly id: string
  /** sha256, hex. */
  readonly hash: string
  readonly createdAt: number
  /** What it may do. Default everything. */
  readonly scopes?: readonly Scope[]
  /** When it opens nothing any more. Default never. */
  readonly expiresAt?: number
}

/** What a key is made with. */
export type KeyRights = Pick<ProjectKey, "scopes" | "expiresAt">

export const mayDo = ({ scopes }: ProjectKey, scope: Scope): boolean => scopes?.includes(scope) ?? true

/** Who has services and orchestrations. Times are ms since 1970. */
export interface PlanProject {
  readonly id: string
  readonly name: string
  readonly webhooks: readonly string[]
  readonly compensationFailureWebhooks: readonly string[]
  readonly keys: readonly ProjectKey[]
  /** What webhooks are signed with. */
  readonly webhookSecret: string
  readonly createdAt: number
  readonly updatedAt: number
}

const MAX_KEYS = 100
const MAX_WEBHOOKS = 50
const MAX_NAME = 200
const MAX_URL = 500

/**
 * The projects of an engine, and their keys. Of a key its hash is kept: nobody can read it again, and no error has it.
 *
 * ```ts
 * const { project, apiKey } = await projects.register({ name: "shop" })
 * await projects.byKey(apiKey) // { project, key }
 * ```
 */
export class PlanProjects {
  readonly #store: Pick<SessionStore, "records" | "now">
  readonly #projects: Records
  readonly #keys: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records" | "now">, root: Namespace) {
    this.#store = store
    this.#projects = store.records("plan-projects")
    this.#keys = store.records("plan-keys")
    this.#root = root
  }

  /** @throws InvalidInput for a name that is too long or a webhook that is no web address. */
  async register(project: {
    readonly name: string
    readonly webhooks?: readonly string[]
    readonly compensationFailureWebhooks?: readonly string[]
  }): Promise<{ readonly project: PlanProject; readonly apiKey: string }> {
    if (project.name.length > MAX_NAME)
      throw new InvalidInput(`A project's name has at most ${MAX_NAME} characters.`)
    const { apiKey, key } = this.#newKey(await this.#now(), {})
    const made: PlanProject = {
      id: newId("p_"),
      name: project.name,
      webhooks: (project.webhooks ?? []).map(webAddress),
      compensationFailureWebhooks: (project.compensationFailureWebhooks ?? []).map(webAddress),
      keys: [key],
      webhookSecret: randomId() + randomId(),
      createdAt: key.createdAt,
      updatedAt: key.createdAt,
    }
    await this.#projects.put(this.#root, made.id, asJson(made), { expected: 0 })
    await this.#keys.put(this.#root, key.hash, made.id)
    return { project: made, apiKey }
  }

  /** All of them, by their ids. */
  async list(): Promise<readonly PlanProject[]> {
    return await allIn(this.#projects, this.#root)
  }

  async get(id: string): Promise<PlanProject | undefined> {
    const record = await this.#projects.get(this.#root, id)
    return record && (record.value as unknown as PlanProject)
  }

  /** The project of a key; undefined for one that is not known, was revoked, or has expired. */
  async byKey(
    apiKey: string,
  ): Promise<{ readonly project: PlanProject; readonly key: ProjectKey } | undefined> {
    const hash = apiKeyHash(apiKey)
    const record = hash === undefined ? undefined : await this.#keys.get(this.#root, hash)
    const project = record && (await this.get(String(record.value)))
    // The project says which keys it has: one that was revoked half is revoked.
    const key = project?.keys.find((each) => each.hash === hash)
    if (!project || !key || (key.expiresAt !== undefined && key.expiresAt <= (await this.#now())))
      return undefined
    return { project, key }
  }

  async addKey(
    projectId: string,
    rights: KeyRights = {},
  ): Promise<{ readonly key: ProjectKey; readonly apiKey: string }> {
    const { apiKey, key } = this.#newKey(await this.#now(), rights)
    await this.#keys.put(this.#root, key.hash, projectId)
    await this.#change(projectId, ({ keys }) => ({ keys: atMost([...keys, key], MAX_KEYS, "keys") }))
    return { key, apiKey }
  }

  /**
   * @returns the hash of what opens nothing any more.
   * @throws NotFound; OrraError `plan_last_key` for the only key that can make others: nobody could see to the project any more.
   */
  async revokeKey(projectId: string, keyId: string): Promise<string> {
    let hash = ""
    await this.#change(projectId, ({ keys }) => {
      const revoked = keys.find(({ id }) => id === keyId)
      if (!revoked) throw new NotFound("key")
      hash = revoked.hash
      // One that expires does not count: it will be gone.
      const isLast = !keys.some(
        (key) => key.id !== keyId && mayDo(key, "admin") && key.expiresAt === undefined,
      )
      if (isLast && mayDo(revoked, "admin"))
        throw new OrraError(
          "plan_last_key",
          "No other key that lasts has the scope admin: make another one first.",
        )
      return { keys: keys.filter(({ id }) => id !== keyId) }
    })
    await this.#keys.delete(this.#root, hash)
    return hash
  }

  /** @throws InvalidInput for what is no web address. An address that is there already stays there once. */
  async addWebhook(projectId: string, kind: WebhookKind, url: string): Promise<string> {
    const address = webAddress(url)
    await this.#change(projectId, ({ [kind]: known }) => ({
      [kind]: atMost([...known.filter((each) => each !== address), address], MAX_WEBHOOKS, "webhooks"),
    }))
    return address
  }

  /** @throws NotFound. */
  async removeWebhook(projectId: string, kind: WebhookKind, url: string): Promise<void> {
    await this.#change(projectId, ({ [kind]: known }) => {
      if (!known.includes(url)) throw new NotFound("webhook")
      return { [kind]: known.filter((each) => each !== url) }
    })
  }

  async #change(id: string, change: (project: PlanProject) => Partial<PlanProject>): Promise<void> {
    for (;;) {
      const record = await this.#projects.get(this.#root, id)
      if (!record) throw new NotFound("project")
      const project = record.value as unknown as PlanProject
      const changed = { ...project, ...change(project), updatedAt: await this.#now() }
      try {
        await this.#projects.put(this.#root, id, asJson(changed), { expected: record.version })
        return
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  #newKey(createdAt: number, rights: KeyRights): { readonly apiKey: string; readonly key: ProjectKey } {
    const apiKey = newApiKey()
    return { apiKey, key: { id: newId("k_"), hash: apiKeyHash(apiKey) ?? "", createdAt, ...rights } }
  }

  async #now(): Promise<number> {
    return await timeOf(this.#store)
  }
}

const asJson = (value: object): Json => value as unknown as Json

function atMost<T>(items: readonly T[], most: number, what: string): readonly T[] {
  if (items.length <= most) return items
  throw new InvalidInput(`A project has at most ${most} ${what}: remove one.`)
}

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (text.length <= MAX_URL && (url?.protocol === "http:" || url?.protocol === "https:")) return text
  throw new InvalidInput(
    "A webhook's url must be a whole web address with http or https, of at most 500 characters.",
  )
}
