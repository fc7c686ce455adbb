import { type Approvals, messageText, type Namespace, type PendingApproval, type Runtime } from "@orra/core"
import type { ButtonInteraction, Message } from "discord.js"
import { type ButtonId, buttonsOf, questionOf, withWords } from "./approval-message.ts"
import type { Conversations, Whereabouts } from "./conversations.ts"
import { decidedElsewhere } from "./decided-elsewhere.ts"
import { type AskedMessage, type AskingPlace, messagePlace } from "./places.ts"
import { decidePressed } from "./press.ts"
import { MAY_NOT_DECIDE, privately } from "./privately.ts"
import { Reply } from "./reply.ts"

/** What waits in a conversation, and where that is shown. */
export interface Asking {
  readonly namespace: Namespace
  readonly where: Whereabouts
  readonly conversation: number
  readonly place: AskingPlace
  /** The approvals that were shown there. */
  readonly shown: Set<string>
}

interface QuestionsParts {
  readonly approvals: Approvals
  readonly runtime: Pick<Runtime, "store" | "subscribe">
  readonly conversations: Conversations
  /** Whether somebody may decide what waits in this session. */
  readonly mayDecide: (userId: string, namespace: Namespace) => Promise<boolean>
  /** Whether somebody here waits for an answer in this session. */
  readonly isAwaited: (namespace: Namespace) => boolean
  /** Posts what a run has made. */
  readonly attach: (place: AskingPlace, session: Namespace, runId: string) => Promise<void>
  /** Fires when nobody is served any more. */
  readonly serving: () => AbortSignal
  readonly onError: (error: unknown) => void
}

/** What conversations in Discord wait for, asked where they are. */
export class Questions {
  readonly #parts: QuestionsParts
  /** What closes a question that is decided elsewhere, by the id of its message. */
  readonly #closers = new Map<string, AbortController>()

  constructor(parts: QuestionsParts) {
    this.#parts = parts
  }

  /** Asks about all that waits for a decision in a conversation, and has not been shown. @returns how much. */
  async show({ namespace, where, conversation, place, shown }: Asking): Promise<number> {
    const waiting = await this.#parts.approvals.list(namespace)
    const own = waiting.filter((each) => each.namespace.key === namespace.key && !shown.has(each.approvalId))
    for (const pending of own) {
      shown.add(pending.approvalId)
      const { content, file } = questionOf(pending)
      const asked = await place.ask(content, buttonsOf(pending.approvalId, where.userId, conversation), file)
      this.#work(this.#closeLater(pending, asked, content))
    }
    return own.length
  }

  /** Decides as the button says, if that person may, and brings the answer where nobody waits for it any more. */
  async press(interaction: ButtonInteraction, button: ButtonId, by: string): Promise<void> {
    const { user, guildId, channelId, message } = interaction
    const where = { guildId: guildId ?? undefined, channelId, userId: button.userId }
    const { conversation } = button
    const { approvals, runtime, conversations, mayDecide, isAwaited } = this.#parts
    const namespace = conversations.numbered(where, conversation)
    if (!(await mayDecide(user.id, namespace))) return await privately(interaction, MAY_NOT_DECIDE)
    await interaction.deferUpdate()
    // What is decided here is said here.
    this.#closers.get(message.id)?.abort()
    const isHere = isAwaited(namespace)
    const { version = 0 } = (await runtime.store.info(namespace)) ?? {}
    const counted = await decidePressed(approvals, namespace, button, { interaction, by })
    // Whoever asked did so before a restart: nobody else brings the answer.
    if (counted && !isHere) this.#work(this.#bring(namespace, version, where, conversation, message))
  }

  /** The same question may stand elsewhere too: the first answer counts, and the buttons go. */
  async #closeLater(pending: PendingApproval, { id, close }: AskedMessage, content: string): Promise<void> {
    const { runtime, serving } = this.#parts
    const closer = new AbortController()
    this.#closers.set(id, closer)
    try {
      const signal = AbortSignal.any([serving(), closer.signal])
      const said = await decidedElsewhere(runtime, pending, signal)
      if (said !== undefined && !signal.aborted) await close(withWords(content, said))
    } finally {
      this.#closers.delete(id)
    }
  }

  /** Posts what comes of a run that nobody here waits for. */
  async #bring(
    namespace: Namespace,
    after: number,
    where: Whereabouts,
    conversation: number,
    message: Message,
  ): Promise<void> {
    const place = messagePlace(message)
    const asking: Asking = { namespace, where, conversation, place, shown: new Set() }
    let text = ""
    for await (const event of this.#parts.runtime.subscribe(namespace, {
      after,
      signal: this.#parts.serving(),
    })) {
      if (event.type === "assistant") text = messageText(event.message)
      else if (event.type === "run_waiting") await this.show(asking)
      else if (event.type === "run_finished") {
        const { error } = event
        await new Reply(place).finish(error ? `Sorry, there is no answer. ${error.message}` : text)
        await this.#parts.attach(place, namespace, event.runId)
        return
      }
    }
  }

  #work(work: Promise<void>): void {
    work.catch(this.#parts.onError)
  }
}
