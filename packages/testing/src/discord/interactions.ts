import type { DiscordMessage, World } from "./world.ts"

type Body = Readonly<Record<string, unknown>>

/** What the bot answered to a command or a button: `type` as Discord numbers it. */
export interface InteractionAnswer {
  readonly type: number
  readonly content: string
  /** Only the person who did it sees it. */
  readonly ephemeral: boolean
  readonly components: readonly unknown[]
}

interface Interaction {
  readonly channelId: string
  readonly answered: PromiseWithResolvers<InteractionAnswer>
  /** The message a button is on, or the answer to a command. */
  message: DiscordMessage | undefined
}

/** Commands and buttons that people use. */
export class Interactions {
  readonly #world: World
  readonly #byId = new Map<string, Interaction>()
  readonly #byToken = new Map<string, Interaction>()
  /** What becomes of the first answer. */
  readonly #onAnswer: (interaction: Interaction, answer: Body, type: number) => void
  /** The commands that the bot has registered. */
  commands: readonly Body[] = []

  constructor(world: World, onAnswer: (interaction: Interaction, answer: Body, type: number) => void) {
    this.#world = world
    this.#onAnswer = onAnswer
  }

  register(commands: readonly Body[]): readonly Body[] {
    this.commands = commands.map((command) => ({
      type: 1,
      application_id: this.#world.bot.id,
      version: "1",
      default_member_permissions: null,
      ...command,
      id: this.#world.newId(),
    }))
    return this.commands
  }

  begin(
    channelId: string,
    message: DiscordMessage | undefined,
  ): { readonly id: string; readonly token: string; readonly answered: Promise<InteractionAnswer> } {
    const [id, token] = [this.#world.newId(), `token-${this.#world.newId()}`]
    const interaction: Interaction = { channelId, message, answered: Promise.withResolvers() }
    this.#byId.set(id, interaction)
    this.#byToken.set(token, interaction)
    return { id, token, answered: interaction.answered.promise }
  }

  byToken(token: string): Interaction | undefined {
    return this.#byToken.get(token)
  }

  /** The first answer to an interaction. @returns false when there is no such one, or it has been answered. */
  answer(id: string, body: Body): boolean {
    const interaction = this.#byId.get(id)
    if (!interaction) return false
    this.#byId.delete(id)
    const data = (body["data"] ?? {}) as Body
    const type = Number(body["type"])
    this.#onAnswer(interaction, data, type)
    interaction.answered.resolve({
      type,
      content: String(data["content"] ?? ""),
      ephemeral: (Number(data["flags"] ?? 0) & 64) !== 0,
      components: (data["components"] ?? []) as readonly unknown[],
    })
    return true
  }
}
