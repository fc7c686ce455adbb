import type { Namespace, PendingApproval } from "@orra/core"
import type { Notice } from "@orra/cron"

/**
 * What a device shows. It may be read on a locked screen: it names what waits, without arguments and without anything that
 * was said.
 */
export type News = {
  readonly title: string
  readonly body: string
  /** The path in the page that it opens. */
  readonly url: string
  /** One with the same tag takes the place of an earlier one. */
  readonly tag: string
  /** Calls that wait for the person now, if that has changed. */
  readonly waiting?: number
  /** Something waits for the person: a device that sleeps is woken. */
  readonly isUrgent: boolean
  /** Shown also where somebody looks at Herald already. */
  readonly isAlways?: true
}

const MAX_NAME = 80

/** Calls of one run wait for a decision. */
export function approvalNews(calls: readonly PendingApproval[], waiting: number): News {
  const [first] = calls
  const name = shown(first?.tool ?? "")
  return {
    title: calls.length > 1 ? `${calls.length} calls wait for you` : "A call waits for you",
    body: `${shown(first?.agent ?? "The assistant")} wants to use ${name}${calls.length > 1 ? " and more" : ""}.`,
    url: "/approvals",
    tag: `waits ${first?.namespace.key}`,
    waiting,
    isUrgent: true,
  }
}

/** The assistant has asked something in a chat. */
export const questionNews = (chat: Namespace, waiting: number): News => ({
  title: "A question waits for you",
  body: "The assistant goes on when you have answered.",
  url: chatPath(chat),
  tag: `waits ${chat.key}`,
  waiting,
  isUrgent: true,
})

/** What came of a job can be read in a chat. */
export const jobNews = ({ job, type, error, key }: Notice, chat: Namespace): News => ({
  title: shown(job.name),
  body:
    type === "paused" ? "This job is paused." : error ? "This did not work." : "Done: read what came of it.",
  url: chatPath(chat),
  tag: `job ${key}`,
  isUrgent: false,
})

export const testNews = (): News => ({
  title: "Notifications work",
  body: "So Herald tells you here what waits for you.",
  url: "/settings/notifications",
  tag: "test",
  isAlways: true,
  isUrgent: true,
})

/** As the page writes a chat's address. */
const chatPath = ({ key }: Namespace): string => `/c/${encodeURIComponent(key).replaceAll("%3A", ":")}`

/** A name on one line, and short. */
function shown(name: string): string {
  const line = name.replace(/[\p{C}\p{Z}]+/gu, " ").trim()
  const letters = [...line]
  return letters.length > MAX_NAME ? `${letters.slice(0, MAX_NAME).join("")}…` : line
}
