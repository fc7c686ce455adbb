// A process of the outbox test: delivers into a file, line by line, and tells of each, until it is killed.

import { appendFileSync } from "node:fs"
import { Namespace, Outbox } from "@orra/core"
import { say } from "@orra/testing/process"
import { openAt } from "./open-at.ts"

const [place = "", file = ""] = process.argv.slice(2)
const store = await openAt(place)
const outbox = new Outbox(store, {
  attemptMs: 2_000,
  async deliver({ namespace, key }) {
    appendFileSync(file, `${namespace.key} ${key}\n`)
    await say(key)
  },
})
await outbox.run(Namespace.of("tenant"), { signal: new AbortController().signal, pollMs: 100 })
