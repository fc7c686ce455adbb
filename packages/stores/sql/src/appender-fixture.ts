import type { SessionStore } from "@orra/core"
import { expect } from "vitest"
import { SESSIONS } from "./appender.child.ts"

/** Every entry that a killed `appender.child.ts` was told is written is there, once, in order. */
export async function expectAcknowledged(
  store: SessionStore,
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const session of SESSIONS) {
    const entries = await store.read(session, { limit: 1_000_000 })
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged.get(session.key) ?? 0)
    const said = entries.map((entry) => entry.type === "delta" && entry.pieces[0])
    expect(said).toEqual(entries.map((_, index) => ({ type: "text", text: `${index + 1}` })))
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1))
    expect((await store.info(session))?.version ?? 0).toBe(entries.length)
  }
}
