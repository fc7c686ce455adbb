import type { Entry, SessionStore } from "@orra/core"
import { expect } from "vitest"
import { SESSIONS } from "./appender.child.ts"

/** Every entry that a killed `appender.child.ts` was told is written is there, once, in order. */
export async function expectAcknowledged(
  store: SessionStore,
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const session of SESSIONS) {
    const versionNow = async () => (await store.info(session))?.version ?? 0
    let version: number
    let entries: readonly Entry[]
    // A server may still be writing what a dead process sent it last.
    do {
      version = await versionNow()
      entries = await store.read(session, { limit: 1_000_000 })
    } while ((await versionNow()) !== version)
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged.get(session.key) ?? 0)
    const said = entries.map((entry) => entry.type === "delta" && entry.pieces[0])
    expect(said).toEqual(entries.map((_, index) => ({ type: "text", text: `${index + 1}` })))
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1))
    expect(version).toBe(entries.length)
  }
}
