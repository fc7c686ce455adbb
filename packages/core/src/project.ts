import { InvalidInput, NotFound, OrraError, VersionConflict } from "./errors.ts"
import type { EndRun, HookContext, Hooks } from "./hooks.ts"
import type { Json, JsonObject } from "./json.ts"
import type { SystemPrompt } from "./loop-run.ts"
import type { Namespace } from "./namespace.ts"
import { type PolicyLayer, PolicyRegistry } from "./policy.ts"
import type { Records, StoredRecord } from "./records.ts"
import type { Page, SessionStore } from "./store.ts"

/** What can be said of a project. */
export interface ProjectSettings {
  readonly name: string
  readonly description: string
  /** Added to the system prompt of its sessions. */
  readonly systemPrompt?: string
  /** Tool names or globs: what its sessions may use of what they otherwise may. Without it all, empty none. */
  readonly enabledTools?: readonly string[]
  readonly metadata: JsonObject
  /** Sessions of a project that is not active do not run. */
  readonly active: boolean
}

/** A namespace with settings: they hold for all sessions below it. */
export interface Project extends ProjectSettings {
  readonly id: string
  readonly namespace: Namespace
  /** ms since 1970. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What a project is made of: everything but the name has a default. */
export type NewProject = { readonly id: string; readonly name: string } & Partial<ProjectSettings>

/** A change of a project; null takes a setting away. */
export type ProjectPatch = {
  readonly [Key in keyof ProjectSettings]?: ProjectSettings[Key] | (Key extends OptionalKey ? null : never)
}
type OptionalKey = "systemPrompt" | "enabledTools"

export interface ProjectsOptions {
  /** What sessions may do anyway; a project only narrows it. Default: every registered tool is allowed. */
  readonly policies?: PolicyRegistry
  /** How many segments the namespace of an owner of projects has: 2 (default) for `tenant:acme`. */
  readonly ownerDepth?: number
  /** The segment between an owner and a project. Default `project`. */
  readonly segment?: string
  readonly clock?: () => number
}

interface Place {
  readonly owner: Namespace
  readonly id: string
  readonly namespace: Namespace
}

type Stored = ProjectSettings & { readonly createdAt: number }

/**
 * The projects of each owner, kept beside the sessions. A project is a namespace, `<owner>:project:<id>`, and its
 * settings hold for every session below it: give the runtime `policies`, `hooks` and `systemPrompt`.
 *
 * ```ts
 * const projects = new Projects(store, { policies })
 * const runtime = new Runtime({
 *   provider, store, tools,
 *   policies: projects.policies,
 *   hooks: [projects.hooks],
 *   systemPrompt: projects.systemPrompt("You are a helpful assistant."),
 * })
 * const acme = Namespace.of("tenant", "acme")
 * const site = await projects.create(acme, { id: "site", name: "Website", enabledTools: ["fetch", "read_*"] })
 * await runtime.run(site.namespace.child("user", "bob", "chat-1"), "Is the site up?")
 * ```
 *
 * What another process changes counts from the next run and the next call of a tool on. Sessions of a project that is
 * not active, or that there is none of, do not run: they end as `stopped` and say why.
 */
export class Projects {
  /** The policies given, narrowed by those of the projects. */
  readonly policies: PolicyRegistry
  /** Sees to it that runs know the settings of their project as they are. */
  readonly hooks: Hooks
  readonly #records: Records
  readonly #ownerDepth: number
  readonly #segment: string
  readonly #clock: () => number
  /** The version of the settings that `policies` was told, by the project's key. */
  readonly #applied = new Map<string, number>()

  constructor(store: SessionStore, options: ProjectsOptions = {}) {
    const {
      policies = PolicyRegistry.allowAll(),
      ownerDepth = 2,
      segment = "project",
      clock = Date.now,
    } = options
    this.policies = policies.within([], "projects")
    this.#records = store.records("projects")
    this.#ownerDepth = ownerDepth
    this.#segment = segment
    this.#clock = clock
    this.hooks = {
      name: "projects",
      runStart: ({ namespace }) => this.#end(namespace),
      // Also of a run that waited, perhaps for days and in another process.
      beforeModel: (_, { namespace }) => this.#end(namespace),
      beforeTool: async (_, { namespace }: HookContext) => {
        const why = await this.#whyNot(namespace)
        return why === undefined ? undefined : { reject: why }
      },
    }
  }

  /** Where a project's sessions live. @throws InvalidInput when projects have no such owner. */
  namespace(owner: Namespace, id: string): Namespace {
    if (owner.depth !== this.#ownerDepth) {
      throw new InvalidInput(
        `"${owner}" cannot have projects: their owners have ${this.#ownerDepth} segments (ownerDepth).`,
      )
    }
    return owner.child(this.#segment, id)
  }

  /** @throws OrraError (`project_exists`); InvalidInput for settings that are none. */
  async create(owner: Namespace, { id, ...given }: NewProject): Promise<Project> {
    const place = this.#place(owner, id)
    const now = this.#clock()
    const settings = checked({ description: "", metadata: {}, active: true, ...given })
    try {
      const { updatedAt } = await this.#put(place, { ...settings, createdAt: now }, 0)
      return projectOf(place, settings, now, updatedAt)
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      throw new OrraError("project_exists", `There is already a project "${id}".`, { id }, error)
    }
  }

  async get(owner: Namespace, id: string): Promise<Project | undefined> {
    const place = this.#place(owner, id)
    const record = await this.#read(place)
    return record && fromRecord(place, record)
  }

  /** Changes what the patch names. @throws NotFound; InvalidInput for settings that are none. */
  async update(owner: Namespace, id: string, patch: ProjectPatch): Promise<Project> {
    const place = this.#place(owner, id)
    for (;;) {
      const record = await this.#read(place)
      if (!record) throw new NotFound("project")
      const { createdAt, ...before } = record.value as unknown as Stored
      const settings = checked({ ...before, ...patch })
      try {
        const { updatedAt } = await this.#put(place, { ...settings, createdAt }, record.version)
        return projectOf(place, settings, createdAt, updatedAt)
      } catch (error) {
        // Somebody else changed it as well: on top of that, then.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  /** Removes the project. Its sessions stay, and do not run any more. @returns false when there was none. */
  async delete(owner: Namespace, id: string): Promise<boolean> {
    const place = this.#place(owner, id)
    const deleted = await this.#records.delete(owner, id)
    this.#apply(place, undefined)
    return deleted
  }

  /**
   * The projects of an owner by id. With `active` only those that are, or are not: a page can then be shorter than
   * its `limit` (1 to 500, default 50) although more follow.
   */
  async list(
    owner: Namespace,
    options: { readonly active?: boolean; readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<Page<Project>> {
    const { active, ...page } = options
    const { items, cursor } = await this.#records.list(owner, page)
    const projects = items.map((record) => fromRecord(this.#place(owner, record.key), record))
    return {
      items: active === undefined ? projects : projects.filter((project) => project.active === active),
      ...(cursor !== undefined && { cursor }),
    }
  }

  /** A system prompt that ends with the one of the session's project, as it is at that moment. */
  systemPrompt(base?: SystemPrompt): SystemPrompt {
    return async (context) => {
      const own = typeof base === "function" ? await base(context) : base
      const place = this.#placeOf(context.namespace)
      const record = place && (await this.#read(place))
      const added = (record?.value as Stored | undefined)?.systemPrompt
      return [own, added].filter(Boolean).join("\n\n")
    }
  }

  async #end(namespace: Namespace): Promise<EndRun | undefined> {
    const why = await this.#whyNot(namespace)
    return why === undefined ? undefined : { end: why }
  }

  /** Why a session may not run or act, with what its project allows brought up to date. */
  async #whyNot(namespace: Namespace): Promise<string | undefined> {
    const place = this.#placeOf(namespace)
    if (!place) return undefined
    const record = await this.#read(place)
    if (!record) return "This project does not exist."
    return (record.value as unknown as Stored).active ? undefined : "This project is not active."
  }

  async #read(place: Place): Promise<StoredRecord | undefined> {
    const record = await this.#records.get(place.owner, place.id)
    this.#apply(place, record)
    return record
  }

  async #put(place: Place, value: Stored, expected: number): Promise<StoredRecord> {
    const { owner, id } = place
    await this.#records.put(owner, id, value as unknown as Json, { expected })
    const written = await this.#read(place)
    if (!written) throw new NotFound("project")
    return written
  }

  /** Tells policy what a project allows. What was read earlier and arrives later is not told. */
  #apply({ namespace }: Place, record: StoredRecord | undefined): void {
    const { key } = namespace
    if (!record) {
      if (this.#applied.delete(key)) this.policies.set(namespace, { default: "deny" })
      return
    }
    if (record.version <= (this.#applied.get(key) ?? 0)) return
    this.#applied.set(key, record.version)
    const { enabledTools } = record.value as unknown as Stored
    if (enabledTools) this.policies.set(namespace, layerOf(enabledTools))
    else this.policies.remove(namespace)
  }

  #place(owner: Namespace, id: string): Place {
    return { owner, id, namespace: this.namespace(owner, id) }
  }

  /** The project that a session belongs to, by where it is. */
  #placeOf(session: Namespace): Place | undefined {
    const owner = session.lineage[this.#ownerDepth - 1]
    const id = session.segments[this.#ownerDepth + 1]
    if (!owner || id === undefined || session.segments[this.#ownerDepth] !== this.#segment) return undefined
    return this.#place(owner, id)
  }
}

const layerOf = (enabledTools: readonly string[]): PolicyLayer => ({ allow: enabledTools, default: "deny" })

/** The settings, without what was taken away. @throws InvalidInput. */
function checked(
  given: {
    readonly [Key in keyof ProjectSettings]?: ProjectSettings[Key] | null | undefined
  },
): ProjectSettings {
  const { name, description, systemPrompt, enabledTools, metadata, active } = given
  if (typeof name !== "string" || name.trim() === "") throw new InvalidInput("A project needs a name.")
  // Throws for what is no rule.
  if (enabledTools) new PolicyRegistry({ base: layerOf(enabledTools) })
  return {
    name,
    description: description ?? "",
    metadata: metadata ?? {},
    active: active ?? true,
    ...(systemPrompt && { systemPrompt }),
    ...(enabledTools && { enabledTools }),
  }
}

function fromRecord(place: Place, { value, updatedAt }: StoredRecord): Project {
  const { createdAt, ...settings } = value as unknown as Stored
  return projectOf(place, settings, createdAt, updatedAt)
}

const projectOf = (
  { id, namespace }: Place,
  settings: ProjectSettings,
  createdAt: number,
  updatedAt: number,
): Project => ({ id, namespace, ...settings, createdAt, updatedAt })
