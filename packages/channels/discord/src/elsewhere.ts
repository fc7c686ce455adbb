import {
  type Approvals,
  everyItem,
  isObject,
  type JsonObject,
  Namespace,
  type PendingApproval,
  type Records,
  type SessionStore,
} from "@orra/core"
import type { ButtonInteraction, Client, SendableChannels } from "discord.js"
import {
  buttonsFor,
  type Decision,
  decidedBy,
  inCode,
  NOT_ASKED,
  questionOf,
  withWords,
} from "./approval-message.ts"
import { pause } from "./connection.ts"
import { idsOf } from "./ids.ts"
import type { DiscordLinks } from "./links.ts"
import { nonceOf } from "./nonce.ts"
import { closePressed, decidePressed } from "./press.ts"
import { MAY_NOT_DECIDE, privately } from "./privately.ts"

/** Questions of sessions that are not Discord's, which are shown in a channel. */
export interface ElsewhereOptions {
  /** The channel's id. Whoever reads it reads what the calls are given. */
  readonly channel: string
  /** Those of sessions at or below these namespaces. */
  readonly of: readonly Namespace[]
}

interface ElsewhereParts {
  readonly approvals: Approvals
  readonly store: Pick<SessionStore, "read" | "records">
  /** Below which it is remembered what was shown. What waits there is asked where it is. */
  readonly prefix: Namespace
  readonly channel: ElsewhereOptions | undefined
  /** Whoever is linked is asked in private. */
  readonly links: Pick<DiscordLinks, "list"> | undefined
  readonly mayDecide: (userId: string, namespace: Namespace) => Promise<boolean>
  readonly lookMs: number
  readonly onError: (error: unknown) => void
}

/** Where questions are shown, and which. */
interface Target {
  /** The channel's id, or of whom it is the private one. */
  readonly id: string
  readonly of: readonly Namespace[]
  open(client: Client): Promise<SendableChannels>
}

/** A question that stands in a channel. */
interface Shown {
  readonly approvalId: string
  readonly target: string
  readonly namespace: string
  readonly messageId: string
  readonly content: string
}

/** How long after Discord refused something it is tried again. */
const REFUSED_MS = 60_000
/** Source: Discord's error codes: unknown channel, unknown message. */
const GONE: readonly unknown[] = [10_003, 10_008]
/** How far back in a session it is looked for who decided. */
const DECISIONS = 50

const BUTTON = /^orra-elsewhere:(approve|deny):([\w-]{1,40})$/

/** What the buttons of a question decide; undefined for other buttons. */
export function readElsewhereButton(customId: string): Decision | undefined {
  const [, decision, approvalId = ""] = BUTTON.exec(customId) ?? []
  return decision === "approve" || decision === "deny" ? { decision, approvalId } : undefined
}

/**
 * Shows what sessions elsewhere wait for, such as those of a web page, in a channel and in private to whoever is linked: the
 * first answer counts, wherever it is given. What was shown is remembered, so that its buttons work and go after a restart too.
 */
export class Elsewhere {
  readonly #parts: ElsewhereParts
  readonly #records: Records
  /** Those that are being decided by a press, which says so itself: by the id of their message. */
  readonly #pressed = new Set<string>()
  /** The last one that is being shown: its button may be pressed before that is remembered. */
  #showing: Promise<void> = Promise.resolve()
  /** Where Discord refused, and until when nothing is tried there, by `performance.now()`. */
  readonly #refused = new Map<string, number>()

  /** @throws InvalidInput for a channel that is no id. */
  constructor(parts: ElsewhereParts) {
    this.#parts = parts
    this.#records = parts.store.records("discord-questions")
    if (parts.channel) idsOf("questions.channel", [parts.channel.channel])
  }

  /** Shows what waits, and what became of it, until the signal fires. */
  async run(client: Client, signal: AbortSignal): Promise<void> {
    const { lookMs, onError } = this.#parts
    while (!signal.aborted) {
      try {
        await this.#look(client, signal)
      } catch (error) {
        if (signal.aborted) return
        onError(error)
      }
      await pause(lookMs, signal)
    }
  }

  /** Decides a question as the button says, if that person may, and says so in its message. */
  async press(interaction: ButtonInteraction, button: Decision, by: string): Promise<void> {
    const { user, message } = interaction
    await this.#showing.catch(() => {})
    const shown = (await this.#all()).find(({ messageId }) => messageId === message.id)
    const { approvals, mayDecide, prefix } = this.#parts
    const namespace = shown ? Namespace.parse(shown.namespace) : prefix
    // A private question was asked of the only person who sees it: that it is closed is no secret.
    const isClosedHere = interaction.guildId === null && !shown
    if (!isClosedHere && !(await mayDecide(user.id, namespace)))
      return await privately(interaction, MAY_NOT_DECIDE)
    await interaction.deferUpdate()
    if (!shown) return await closePressed(interaction, "This is closed.")
    this.#pressed.add(message.id)
    try {
      await decidePressed(approvals, namespace, button, { interaction, by })
    } finally {
      await this.#forget(shown)
      this.#pressed.delete(message.id)
    }
  }

  async #look(client: Client, signal: AbortSignal): Promise<void> {
    const { approvals, onError, prefix } = this.#parts
    const targets = await this.#targets()
    const shown = await this.#all()
    for (const target of targets) {
      if ((this.#refused.get(target.id) ?? 0) > performance.now()) continue
      const waiting = (await Promise.all(target.of.map((each) => approvals.list(each)))).flat()
      const missing = waiting.filter(
        ({ approvalId, namespace }) =>
          !prefix.contains(namespace) &&
          !shown.some((each) => each.approvalId === approvalId && each.target === target.id),
      )
      const past = shown.filter(
        (each) =>
          each.target === target.id && !waiting.some(({ approvalId }) => approvalId === each.approvalId),
      )
      if (missing.length + past.length === 0) continue
      try {
        const channel = await target.open(client)
        for (const pending of missing) {
          this.#showing = this.#show(channel, target.id, pending)
          await this.#showing
        }
        for (const each of past) await this.#close(channel, each)
        this.#refused.delete(target.id)
      } catch (error) {
        if (signal.aborted) return
        onError(error)
        this.#refused.set(target.id, performance.now() + REFUSED_MS)
      }
    }
    // Who is not linked any more, or a channel that was taken out of the configuration.
    for (const each of shown) if (!targets.some(({ id }) => id === each.target)) await this.#forget(each)
  }

  async #targets(): Promise<readonly Target[]> {
    const { channel, links } = this.#parts
    const linked = (await links?.list()) ?? []
    return [
      ...(channel
        ? [
            {
              id: channel.channel,
              of: channel.of,
              open: async (client: Client) =>
                (await client.channels.fetch(channel.channel)) as SendableChannels,
            },
          ]
        : []),
      ...linked
        .filter(({ person }) => person.decidesIn.length > 0)
        .map(({ userId, person }) => ({
          id: userId,
          of: person.decidesIn,
          open: (client: Client) => client.users.createDM(userId),
        })),
    ]
  }

  async #show(channel: SendableChannels, target: string, pending: PendingApproval): Promise<void> {
    const { approvalId, namespace } = pending
    const { content: question, file } = questionOf(pending)
    const content = `${question}\n-# ${inCode(namespace.key).slice(0, 100)}`
    const message = await channel.send({
      content,
      components: [buttonsFor((decision) => `orra-elsewhere:${decision}:${approvalId}`)],
      allowedMentions: { parse: [] },
      // Whoever was stopped before it was remembered shows it once all the same.
      nonce: await nonceOf(keyOf({ target, approvalId })),
      enforceNonce: true,
      ...(file && { files: [{ name: file.name, attachment: file.bytes }] }),
    })
    const value = { namespace: namespace.key, messageId: message.id, content }
    await this.#records.put(this.#parts.prefix, keyOf({ target, approvalId }), value)
  }

  async #close(channel: SendableChannels, shown: Shown): Promise<void> {
    const { messageId, content } = shown
    // Who presses says so there. It may have been pressed since it was looked.
    const isThere = await this.#records.get(this.#parts.prefix, keyOf(shown))
    if (this.#pressed.has(messageId) || !isThere) return
    try {
      const edited = { content: withWords(content, await this.#fate(shown)), components: [] }
      await channel.messages.edit(messageId, edited)
    } catch (error) {
      // Who deleted the question sees no buttons either.
      if (!GONE.includes((error as { code?: unknown }).code)) throw error
    }
    await this.#forget(shown)
  }

  async #forget(shown: Shown): Promise<void> {
    await this.#records.delete(this.#parts.prefix, keyOf(shown))
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
        return `${decidedBy(entry.decision, entry.by)}, elsewhere.`
    return NOT_ASKED
  }

  async #all(): Promise<readonly Shown[]> {
    const found: Shown[] = []
    for await (const { key, value } of everyItem((page) => this.#records.list(this.#parts.prefix, page)))
      if (isObject(value)) found.push(shownIn(key, value as JsonObject))
    return found
  }
}

const keyOf = ({ target, approvalId }: Pick<Shown, "target" | "approvalId">): string =>
  `${target} ${approvalId}`

function shownIn(key: string, { namespace, messageId, content }: JsonObject): Shown {
  const [target = "", approvalId = ""] = key.split(" ")
  return {
    approvalId,
    target,
    namespace: String(namespace),
    messageId: String(messageId),
    content: String(content),
  }
}
