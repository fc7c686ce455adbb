import { appendFileSync } from "node:fs"
import process from "node:process"
import { setTimeout as pause } from "node:timers/promises"
import { initService } from "./index.ts"

/** A service as a program: what it does is a line in a file, and `hang` is being in the middle of it. */
const [, , orraUrl = "", orraKey = "", folder = "", hang = ""] = process.argv
const note = (line: string): void => appendFileSync(`${folder}/effects`, `${line}\n`)

const service = initService({
  name: "echo",
  orraUrl,
  orraKey,
  persistenceOpts: { filePath: `${folder}/echo.json` },
})
const text = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }
await service.register({ description: "Says it again.", schema: { input: text, output: text } })
service.start(async ({ attempt, wasInterrupted }) => {
  note(`begun ${attempt}${wasInterrupted ? ", interrupted" : ""}`)
  if (hang) await pause(3_600_000)
  note("done")
  return { text: "b" }
})
