import {
  type Effort,
  everyItem,
  type Hooks,
  InvalidInput,
  isObject,
  type JsonObject,
  type Namespace,
  type PolicyLayer,
  type PolicyRegistry,
  type PolicyRule,
  type Records,
  type SessionStore,
} from "@orra/core"

export const EFFORTS: readonly Effort[] = ["off", "low", "medium", "high"]

/** Tools that are switched on and off together. */
export interface SwitchedTools {
  /** The same in every version of Herald: `web`, or `mcp:` and the name of a server. */
  readonly id: string
  /** Names, or globs over names. */
  readonly tools: readonly string[]
}

/** What whoever has a chat has set for it. */
export interface ChatChoice {
  /** How much the model thinks; undefined: as the provider has it. */
  readonly effort?: Effort
  /** The chat may look, and change nothing. */
  readonly readOnly: boolean
  /** The ids of the tools that are off in it. */
  readonly off: readonly string[]
}

export interface ChatOptionsParts {
  readonly store: SessionStore
  readonly policies: PolicyRegistry
  /** The tools there are now. */
  readonly families: () => readonly SwitchedTools[]
  /** Where layers of policy of Herald's own are: nothing is put in their place. */
  readonly places: () => readonly Namespace[]
}

/** The key of a chat's record. */
const KEY = "options"
/** So long after it was set it is kept for a chat that never began, or is gone, in ms. */
const KEPT_MS = 24 * 60 * 60_000
const NOTHING: ChatChoice = { readOnly: false, off: [] }
/** Their calls over the network fetch something; those of others may send or buy something. */
const FETCHING: readonly string[] = ["web", "github", "discord"]

/**
 * What people set for single chats. Which tools are off, and that a chat only looks, are a layer of policy on the chat's
 * namespace: it can only narrow, and holds for what the chat hands on as well.
 */
export class ChatOptions {
  readonly #parts: ChatOptionsParts
  readonly #records: Records
  readonly #choices = new Map<string, { readonly namespace: Namespace; readonly choice: ChatChoice }>()
  #last: Promise<unknown> = Promise.resolve()

  private constructor(parts: ChatOptionsParts) {
    this.#parts = parts
    this.#records = parts.store.records("chat-options")
  }

  /** With what was set for the chats of these people before. */
  static async open(parts: ChatOptionsParts, people: readonly Namespace[]): Promise<ChatOptions> {
    const options = new ChatOptions(parts)
    for (const person of people) await options.#read(person)
    options.apply()
    return options
  }

  /** For the runtime: models are told how much to think. */
  readonly hooks: Hooks = {
    name: "chat options",
    beforeModel: (request, { namespace }) => {
      // Below a chat is what it has handed on.
      const efforts = namespace.lineageKeys.map((key) => this.#choices.get(key)?.choice.effort)
      const effort = efforts.find((each) => each !== undefined)
      return effort && { ...request, effort }
    },
  }

  async #read(person: Namespace): Promise<void> {
    const { store } = this.#parts
    const old = ((await store.now?.()) ?? Date.now()) - KEPT_MS
    const all = everyItem((page) => this.#records.list(person, { below: true, ...page }))
    for await (const { namespace, value, updatedAt } of all) {
      if (updatedAt < old && !(await store.info(namespace))) await this.#records.delete(namespace, KEY)
      else this.#choices.set(namespace.key, { namespace, choice: choiceIn(value) })
    }
  }

  of(namespace: Namespace): ChatChoice {
    return this.#choices.get(namespace.key)?.choice ?? NOTHING
  }

  /**
   * Changes what is set for a chat. It holds from the next call on.
   *
   * @throws InvalidInput for a namespace that is no chat's.
   */
  change(namespace: Namespace, work: (before: ChatChoice) => ChatChoice, by: string): Promise<ChatChoice> {
    if (this.#parts.places().some((place) => place.equals(namespace)))
      throw new InvalidInput("This is where all the chats of somebody are: name one of them.")
    const turn = this.#last.then(async () => {
      const choice = work(this.of(namespace))
      const isNothing = !choice.effort && !choice.readOnly && choice.off.length === 0
      if (isNothing) await this.#records.delete(namespace, KEY)
      else await this.#records.put(namespace, KEY, asRecord(choice))
      if (isNothing) this.#choices.delete(namespace.key)
      else this.#choices.set(namespace.key, { namespace, choice })
      this.#apply(namespace, choice, by)
      return choice
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** The tools there are have changed. */
  apply(): void {
    for (const { namespace, choice } of this.#choices.values()) this.#apply(namespace, choice)
  }

  #apply(namespace: Namespace, choice: ChatChoice, by?: string): void {
    const { policies, families, places } = this.#parts
    // One that was a chat's when it was set, and is a person's now.
    if (places().some((place) => place.equals(namespace))) return
    const layer = layerOf(choice, families())
    const who = by === undefined ? {} : { by }
    if (layer) policies.set(namespace, layer, who)
    else policies.remove(namespace, who)
  }
}

/** What may not be done in a chat; undefined: nothing more than elsewhere. */
function layerOf({ readOnly, off }: ChatChoice, families: readonly SwitchedTools[]): PolicyLayer | undefined {
  const rules = (
    those: (id: string) => boolean,
    rule: Pick<PolicyRule, "name" | "risk">,
  ): readonly PolicyRule[] =>
    families.filter(({ id }) => those(id)).flatMap(({ tools }) => tools.map((tool) => ({ tool, ...rule })))
  const name = "this chat only reads"
  const deny: readonly PolicyRule[] = [
    ...rules((id) => off.includes(id), { name: "switched off in this chat" }),
    ...(readOnly
      ? [
          { risk: ["write", "exec"] as const, name },
          ...rules((id) => !FETCHING.includes(id), { risk: "network", name }),
        ]
      : []),
  ]
  return deny.length > 0 ? { deny } : undefined
}

function choiceIn(value: unknown): ChatChoice {
  if (!isObject(value)) return NOTHING
  const { effort, readOnly, off } = value
  const known = EFFORTS.find((each) => each === effort)
  return {
    ...(known && { effort: known }),
    readOnly: readOnly === true,
    off: Array.isArray(off) ? off.filter((id) => typeof id === "string") : [],
  }
}

const asRecord = ({ effort, readOnly, off }: ChatChoice): JsonObject => ({
  ...(effort && { effort }),
  readOnly,
  off: [...off],
})
