import { stretchOf } from "./branches.ts"
import { defined } from "./defined.ts"
import { InvalidInput, NotFound } from "./errors.ts"
import { type UserMessage, userMessage } from "./message.ts"
import { newest } from "./newest.ts"
import type { RunInput, RunOptions, Submission } from "./run.ts"
import type { Entry, NewEntry } from "./session.ts"

import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

/** What the next entry follows. @throws NotFound when `to` is no place in the conversation. */
export function rewind(log: SessionLog, to: number): NewEntry<"rewind"> {
  const isPlace = to === 0 || (Number.isInteger(to) && stretchOf(log.stretches, to) !== undefined)
  if (!isPlace) throw new NotFound("message")
  return { type: "rewind", at: Date.now(), to }
}

/** What lets the model go on: nothing when it is its turn anyway, else a request to continue. */
export function continuation(log: SessionLog, inputId: string): readonly NewEntry[] {
  const last = log.view.at(-1)?.message
  if (!last) throw new InvalidInput("There is nothing to continue yet: send a message.")
  if (last.role !== "assistant") return []
  return [continueMessage(inputId)]
}

export function continueMessage(inputId: string): NewEntry<"user"> {
  const text = "Continue from exactly where your last answer stopped."
  const message = userMessage(text, { kind: "host", name: "continue" })
  return { type: "user", at: Date.now(), inputId, message }
}

/** The message, checked. @throws InvalidInput when there is nothing in it. */
export function toMessage(input: RunInput): UserMessage {
  const message = typeof input === "object" && "role" in input ? input : userMessage(input)
  const isEmpty = message.parts.every((part) => part.type === "text" && part.text.trim() === "")
  if (isEmpty) throw new InvalidInput("The message is empty: write something or attach a file.")
  // A lone surrogate has no UTF-8 form: services refuse it, and with it every later request of the session.
  const parts = message.parts.map((part) =>
    part.type === "text" ? { ...part, text: part.text.toWellFormed() } : part,
  )
  return { ...message, parts }
}

/** The entries with which a message joins the transcript. @throws NotFound when it is to follow what is no place. */
export const joining = (
  log: SessionLog,
  message: UserMessage,
  inputId: string,
  rewindTo: number | undefined,
): NewEntry[] => [
  ...(rewindTo === undefined ? [] : [rewind(log, rewindTo)]),
  { type: "user", at: Date.now(), message, inputId },
]

/** The entry of a message that arrives while the session runs. */
export const waitingInput = (
  inputId: string,
  message: UserMessage,
  mode: Entry<"input">["mode"],
  { model, maxTurns, agent, principal, envelope, rewindTo }: RunOptions,
): NewEntry<"input"> => ({
  type: "input",
  at: Date.now(),
  inputId,
  mode,
  message,
  ...defined({ model, maxTurns, agent, principal, envelope, rewindTo }),
})

/** What becomes of a message that was sent before. */
export async function duplicateOf(
  store: SessionStore,
  log: SessionLog,
  inputId: string,
): Promise<Submission> {
  // Of before: it may join, and be answered, while this reads.
  const { namespace, version } = log
  const entry = await newest(store, namespace, "user", (user) => user.inputId === inputId)
  const seq = entry?.seq ?? version
  return { status: "duplicate", namespace, inputId, cursor: Math.max(0, seq - 1) }
}
