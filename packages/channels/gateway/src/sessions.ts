import { everyItem, type History, type Namespace, type Runtime, type SessionInfo } from "@orra/core"
import { notFound } from "./errors.ts"
import type { GatewayTeam } from "./gateway.ts"
import { ownNamespace } from "./input.ts"
import type { Principal } from "./principal.ts"
import type { WireSession } from "./protocol.ts"

/** How long a deleted session can be brought back. */
export const UNDO_MS = 10 * 60_000

export const isDeleted = (info: SessionInfo): boolean => info.metadata["deletedAt"] !== undefined

export const wireSession = (runtime: Runtime, info: SessionInfo): WireSession => ({
  ...info,
  namespace: info.namespace.key,
  // Both: a run that has just ended still holds its session for a moment, and one whose process died is open for ever.
  running: info.openRun !== undefined && runtime.isRunning(info.namespace),
})

export const wireHistory = (runtime: Runtime, history: History): unknown => ({
  ...history,
  info: wireSession(runtime, history.info),
})

/** An existing session of the principal that is not deleted. */
export async function existingSession(
  runtime: Runtime,
  principal: Principal,
  key: unknown,
): Promise<SessionInfo> {
  const info = await runtime.info(ownNamespace(principal, key))
  if (!info || isDeleted(info)) throw notFound()
  return info
}

/** A namespace to write to: the principal's own, new or existing, but not one that was deleted. */
export async function writableNamespace(
  runtime: Runtime,
  principal: Principal,
  key: unknown,
): Promise<Namespace> {
  const namespace = ownNamespace(principal, key)
  const info = await runtime.info(namespace)
  if (info && isDeleted(info)) throw notFound()
  return namespace
}

/** Removes for good what was deleted longer ago than it can be undone. */
export async function purge(
  runtime: Runtime,
  team: GatewayTeam,
  principals: readonly Principal[],
  now: number,
): Promise<void> {
  for (const { namespace } of principals) {
    for await (const info of everyItem((page) => runtime.list(namespace, { deleted: true, ...page }))) {
      const at = info.metadata["deletedAt"]
      if (typeof at === "number" && at + UNDO_MS <= now) await team.delete(info.namespace)
    }
  }
}
