// A process of the outbox test: delivers into a file, line by line, and tells of each, until it is killed. Its clock is
// as far ahead as it is told: it takes over what a dead process had begun then, and from a slow one never.

import { appendFileSync } from "node:fs"
import { Namespace, Outbox } from "@orra/core"
import { heard, say } from "@orra/testing/process"
import { openAt } from "./open-at.ts"

const HOUR = 3_600_000

const [place = "", file = "", start = ""] = process.argv.slice(2)
let ahead = Number(start)
void hear()
const store = await openAt(place)
const clock = { records: store.records.bind(store), now: async () => Date.now() + ahead }
const outbox = new Outbox(clock, {
  attemptMs: HOUR,
  async deliver({ namespace, key }) {
    appendFileSync(file, `${namespace.key} ${key}\n`)
    await say(key)
  },
})
await outbox.run(Namespace.of("tenant"), { signal: new AbortController().signal, pollMs: 100 })

async function hear(): Promise<void> {
  for await (const ms of heard<number>()) ahead += ms
}
