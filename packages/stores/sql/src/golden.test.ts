import { copyFileSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type Entry, MemoryStore, Namespace, type NewEntry, Runtime, type SessionStore } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = join(import.meta.dirname, "../../../core/golden")
const temporary = testFolder()

interface Golden {
  readonly namespace: string
  readonly appends: readonly {
    readonly entries: readonly NewEntry[]
    readonly dropDeltas?: { readonly from: number; readonly to: number }
  }[]
}

/** The same session in memory. */
async function remembered({ namespace, appends }: Golden): Promise<SessionStore> {
  const store = new MemoryStore()
  const ns = Namespace.parse(namespace)
  const lease = await store.acquire(ns, "golden", 60_000)
  for (const { entries, dropDeltas } of appends) {
    const expected = (await store.info(ns))?.version ?? 0
    await store.append(ns, entries, { expected, ...(lease && { lease }), ...(dropDeltas && { dropDeltas }) })
  }
  return store
}

test.each(globSync("*/sessions.db", { cwd: folder }).sort())(
  "written by a released version, all is there: %s",
  async (file) => {
    const path = join(temporary, `${dirname(file)}.db`)
    copyFileSync(join(folder, file), path)
    const store = await sqliteStore({ path })
    const sessions = globSync("*.json", { cwd: join(folder, dirname(file)) }).sort()
    expect(sessions.length).toBeGreaterThan(5)
    for (const session of sessions) {
      const golden = JSON.parse(readFileSync(join(folder, dirname(file), session), "utf8")) as Golden
      const ns = Namespace.parse(golden.namespace)
      const memory = await remembered(golden)
      expect(await store.read(ns), session).toEqual(await memory.read(ns))
      expect(await store.info(ns), session).toEqual(await memory.info(ns))
    }
    expect(await store.integrity()).toEqual([])
    // And it goes on: the leases of those who wrote it are over.
    const runtime = new Runtime({
      provider: scriptedProvider([], { otherwise: "It goes on." }),
      store,
      owner: "golden",
    })
    const ns = Namespace.of("golden", "branches")
    expect((await runtime.run(ns, "And now?")).text).toBe("It goes on.")
    const last = (await store.read(ns)).at(-1) as Entry
    expect(last.type).toBe("run_finished")
    await runtime.close()
    await store.close()
  },
)
