import {
  type Approvals,
  everyItem,
  isObject,
  type JsonObject,
  Namespace,
  OrraError,
  type PendingApproval,
  type Records,
  type SessionStore,
} from "@orra/core"
import type { ButtonInteraction, Client, SendableChannels } from "discord.js"
import { buttonsFor, inCode, questionOf, withWords } from "./approval-message.ts"
import { pause } from "./connection.ts"
import { idsOf } from "./ids.ts"

/** Questions of sessions that are not Discord's. */
export interface ElsewhereOptions {
  /** The id of the channel in which they are shown. Whoever reads it reads what the calls are given. */
  readonly channel: string
  /** Those of sessions at or below these namespaces. */
  readonly of: readonly Namespace[]
  /** How often it is looked for new ones, and for those that were decided, in ms. Default 2,000. */
  readonly lookMs?: number
}

interface ElsewhereParts extends ElsewhereOptions {
  readonly approvals: Approvals
  readonly store: Pick<SessionStore, "read" | "records">
  /** Below which it is remembered what was shown. */
  readonly prefix: Namespace
  readonly onError: (error: unknown) => void
}

/** A question that stands in the channel. */
interface Shown {
  readonly approvalId: string
  readonly namespace: string
  readonly messageId: string
  readonly content: string
}

/** How long after Discord refused something it is tried again. */
const REFUSED_MS = 60_000
/** Source: Discord's error codes: unknown channel, unknown message. */
const GONE: readonly unknown[] = [10_003, 10_008]
/** Source: Discord's API, Create Message: a nonce is at most 25 characters. */
const MAX_NONCE = 25
/** How far back in a session it is looked for who decided. */
const DECISIONS = 50

const BUTTON = /^orra-elsewhere:(approve|deny):([\w-]{1,40})$/

/** What the buttons of a question decide; undefined for other buttons. */
export function readElsewhereButton(customId: string) {
  const [, decision, approvalId = ""] = BUTTON.exec(customId) ?? []
  return decision === "approve" || decision === "deny" ? ({ decision, approvalId } as const) : undefined
}

/**
 * Shows in one channel what sessions elsewhere wait for, such as those of a web page: the first answer counts, wherever it is
 * given. What was shown is remembered, so that its buttons work and go after a restart too.
 */
export class Elsewhere {
  readonly #parts: ElsewhereParts
  readonly #records: Records
  /** Questions somebody is deciding here at this moment: their messages are seen to. */
  readonly #pressed = new Set<string>()

  /** @throws InvalidInput for a channel that is no id. */
  constructor(parts: ElsewhereParts) {
    this.#parts = parts
    this.#records = parts.store.records("discord-questions")
    idsOf("questions.channel", [parts.channel])
  }

  /** Shows what waits, and what became of it, until the signal fires. */
  async run(client: Client, signal: AbortSignal): Promise<void> {
    const { lookMs = 2_000, channel: id, onError } = this.#parts
    while (!signal.aborted) {
      let pauseMs = lookMs
      try {
        const channel = (await client.channels.fetch(id)) as SendableChannels
        await this.#look(channel)
      } catch (error) {
        if (signal.aborted) return
        onError(error)
        pauseMs = Math.max(lookMs, REFUSED_MS)
      }
      await pause(pauseMs, signal)
    }
  }

  /** Decides a question as the button says, and says so in its message. */
  async press(
    interaction: ButtonInteraction,
    { decision, approvalId }: { readonly decision: "approve" | "deny"; readonly approvalId: string },
    by: string,
  ): Promise<void> {
    await interaction.deferUpdate()
    const { user, message } = interaction
    const close = async (said: string): Promise<void> => {
      await interaction.editReply({ content: withWords(message.content, said), components: [] })
    }
    const shown = await this.#get(approvalId)
    if (!shown) return await close("This is closed.")
    this.#pressed.add(approvalId)
    try {
      await this.#parts.approvals.decide(Namespace.parse(shown.namespace), approvalId, { decision, by })
      await close(decision === "approve" ? `Allowed by <@${user.id}>.` : `Refused by <@${user.id}>.`)
    } catch (error) {
      if (!(error instanceof OrraError)) throw error
      // Somebody else was first, or it is too late.
      await close(`This is closed. ${error.message}`)
    } finally {
      await this.#records.delete(this.#parts.prefix, approvalId)
      this.#pressed.delete(approvalId)
    }
  }

  async #look(channel: SendableChannels): Promise<void> {
    const { approvals, of } = this.#parts
    const waiting = (await Promise.all(of.map((each) => approvals.list(each)))).flat()
    const shown = await this.#all()
    for (const pending of waiting)
      if (!shown.some(({ approvalId }) => approvalId === pending.approvalId))
        await this.#show(channel, pending)
    for (const each of shown)
      if (!waiting.some(({ approvalId }) => approvalId === each.approvalId)) await this.#close(channel, each)
  }

  async #show(channel: SendableChannels, pending: PendingApproval): Promise<void> {
    const { approvalId, namespace } = pending
    const { content: question, file } = questionOf(pending)
    const content = `${question}\n-# ${inCode(namespace.key).slice(0, 100)}`
    const message = await channel.send({
      content,
      components: [buttonsFor((decision) => `orra-elsewhere:${decision}:${approvalId}`)],
      allowedMentions: { parse: [] },
      // Whoever was stopped before it was remembered shows it once all the same.
      nonce: approvalId.slice(-MAX_NONCE),
      enforceNonce: true,
      ...(file && { files: [{ name: file.name, attachment: file.bytes }] }),
    })
    const value = { namespace: namespace.key, messageId: message.id, content }
    await this.#records.put(this.#parts.prefix, approvalId, value)
  }

  async #close(channel: SendableChannels, shown: Shown): Promise<void> {
    const { approvalId, messageId, content } = shown
    // Who presses says so there. It may have been pressed since it was looked.
    if (this.#pressed.has(approvalId) || !(await this.#get(approvalId))) return
    try {
      const edited = { content: withWords(content, await this.#fate(shown)), components: [] }
      await channel.messages.edit(messageId, edited)
    } catch (error) {
      // Who deleted the question sees no buttons either.
      if (!GONE.includes((error as { code?: unknown }).code)) throw error
    }
    await this.#records.delete(this.#parts.prefix, approvalId)
  }

  /** What became of a question that is not asked any more. */
  async #fate({ namespace, approvalId }: Shown): Promise<string> {
    const entries = await this.#parts.store.read(Namespace.parse(namespace), {
      types: ["approval_decision"],
      direction: "backward",
      limit: DECISIONS,
    })
    for (const entry of entries)
      if (entry.type === "approval_decision" && entry.approvalId === approvalId)
        return `${entry.decision === "approve" ? "Allowed" : "Refused"} by ${entry.by}, elsewhere.`
    return "This is not asked any more."
  }

  async #get(approvalId: string): Promise<Shown | undefined> {
    const record = await this.#records.get(this.#parts.prefix, approvalId)
    return record && shownIn(approvalId, record.value as JsonObject)
  }

  async #all(): Promise<readonly Shown[]> {
    const found: Shown[] = []
    for await (const { key, value } of everyItem((page) => this.#records.list(this.#parts.prefix, page)))
      if (isObject(value)) found.push(shownIn(key, value as JsonObject))
    return found
  }
}

const shownIn = (approvalId: string, { namespace, messageId, content }: JsonObject): Shown => ({
  approvalId,
  namespace: String(namespace),
  messageId: String(messageId),
  content: String(content),
})
