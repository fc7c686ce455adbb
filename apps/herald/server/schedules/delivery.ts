import { setTimeout as pause } from "node:timers/promises"
import { type Namespace, OrraError, post, type Runtime, SessionBusy, userMessage } from "@orra/core"
import type { Deliver, Notice } from "@orra/cron"
import type { discordPoster } from "@orra/discord"
import type { Chatting } from "./chatting.ts"
import { OWN, type Place, placeOf } from "./places.ts"

/** Writes to channels in Discord. */
type Poster = Pick<ReturnType<typeof discordPoster>, "post">

/** Told of what was written to a chat of the page. */
export type Told = (notice: Notice, chat: Namespace) => Promise<void>

/** So long a chat that is being answered is waited for; after that the result goes to the job's own chat. */
const BUSY_MS = 45_000
const HELD_MS = 50

/**
 * Tells what came of a job where it says. A chat that is gone, or in which a question waits for its answer, is not
 * written to: the job's own chat is, so that nothing is lost.
 */
export function delivery(parts: {
  readonly runtime: Runtime
  readonly chatting: Chatting
  /** Where Discord's sessions are. */
  readonly discord: Namespace
  /** Undefined without a bot. */
  readonly poster: () => Promise<Poster | undefined>
  readonly told?: Told | undefined
}): Deliver {
  const { runtime, chatting, discord, poster, told } = parts

  const channel = async (id: string, notice: Notice, signal: AbortSignal): Promise<void> => {
    const bot = await poster()
    if (!bot)
      throw new OrraError("discord_off", "There is no bot for Discord: set its token, or choose a chat.")
    await bot.post(id, `**${notice.job.name}**\n${noticeText(notice)}`, { key: notice.key, signal })
  }

  const chat = async (session: Namespace, notice: Notice): Promise<void> => {
    const { job, key, tainted } = notice
    // The first part is for the model; the page shows the job's name in its place.
    const message = userMessage(
      [
        { type: "text", text: `[From the scheduled job ${JSON.stringify(job.name)}, not from the person:]` },
        { type: "text", text: noticeText(notice) },
      ],
      { kind: "schedule", name: job.name },
    )
    await post(runtime, session, message, { inputId: `notice:${key}`, ...(tainted && { tainted }) })
    const isUntitled = (await runtime.info(session))?.metadata["title"] === undefined
    if (isUntitled) await runtime.update(session, { title: job.name })
    // In Discord it is told by Discord.
    if (!discord.contains(session)) await told?.(notice, session)
  }

  /** @returns false where nothing can be written now. */
  const triedChat = async (session: Namespace, notice: Notice, signal: AbortSignal): Promise<boolean> => {
    const info = await runtime.info(session)
    if (!info || info.metadata["deletedAt"] !== undefined) return false
    for (const until = performance.now() + BUSY_MS; ; await pause(HELD_MS, undefined, { signal })) {
      await chatting.quiet(session, BUSY_MS, signal)
      try {
        await chat(session, notice)
        return true
      } catch (error) {
        if (!(error instanceof SessionBusy)) throw error
        // A run that has just ended holds its session for a moment. One that waits for somebody does so for long.
        const isWaiting = (await runtime.info(session))?.waiting !== undefined
        if (isWaiting || performance.now() > until) return false
      }
    }
  }

  return async (notice, signal) => {
    const place: Place = placeOf(notice.to ?? "own") ?? OWN
    if (place.type === "channel") return await channel(place.id, notice, signal)
    if (place.type === "chat") {
      const { namespace } = place
      if (discord.contains(namespace)) {
        // What is said there is seen in the channel. The session has it too, so that it can be talked about.
        const id = namespace.segments[discord.depth + 1]
        if (id !== undefined) await channel(id, notice, signal)
        await triedChat(namespace, notice, signal)
        return
      }
      if (await triedChat(namespace, notice, signal)) return
    }
    await chat(ownChat(notice), notice)
  }
}

/** The chat that is a job's own. */
const ownChat = ({ namespace, job }: Notice): Namespace => namespace.child(`job-${job.id}`)

/** What a person reads. */
function noticeText({ type, text, error, outcome }: Notice): string {
  if (type === "paused") return `This job is paused. ${error?.message ?? ""}`.trim()
  if (error) return `This did not work: ${error.message}${text === "" ? "" : `\n\n${text}`}`
  if (outcome === "max_turns")
    return `This did not come to its end in its number of steps.${text && `\n\n${text}`}`
  return text.trim() === "" ? "Done; there is nothing to say of it." : text
}
