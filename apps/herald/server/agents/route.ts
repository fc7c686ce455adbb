import { findMention, InvalidInput } from "@orra/core"
import type { WireMessage } from "@orra/gateway"
import type { Agents } from "./agents.ts"

/**
 * The agent that a message is for: the one asked for, else the one it begins with (`@Nova, …`); undefined leaves it to the
 * chat. A name further on is talked about and not to.
 *
 * @throws InvalidInput for an agent that is not there.
 */
export function agentFor(
  agents: Agents,
  message: WireMessage | undefined,
  asked: string | undefined,
): string | undefined {
  if (asked !== undefined) {
    const name = agents.find(asked)?.name
    if (name === undefined)
      throw new InvalidInput(`There is no agent "${asked.slice(0, 64)}" (any more): choose another.`)
    return name
  }
  const text = typeof message === "string" ? message : message?.find((part) => part.type === "text")?.text
  const start = text?.trimStart() ?? ""
  if (!start.startsWith("@")) return undefined
  const second = start.indexOf("@", 1)
  return findMention(
    second < 0 ? start : start.slice(0, second),
    agents.list().map(({ name }) => name),
  )?.name
}
