import type { Runtime, SessionChange } from "@orra/core"
import type { ServerFrame } from "./protocol.ts"
import { isDeleted, wireSession } from "./sessions.ts"

/** The frame that tells of a change, written once however many sockets it goes to. */
export function changeFrames(runtime: Runtime): (change: SessionChange) => string {
  const written = new WeakMap<SessionChange, string>()
  return (change) => {
    const known = written.get(change)
    if (known !== undefined) return known
    const text = JSON.stringify(frameOf(runtime, change))
    written.set(change, text)
    return text
  }
}

function frameOf(runtime: Runtime, change: SessionChange): ServerFrame {
  if (change.type === "session_deleted") return { type: "session_deleted", namespace: change.namespace.key }
  const { info } = change
  if (isDeleted(info)) return { type: "session_deleted", namespace: info.namespace.key }
  return { type: "session", session: wireSession(runtime, info) }
}
