#!/usr/bin/env node
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { run } from "./run.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string
}
const interrupted = new AbortController()
process.once("SIGINT", () => interrupted.abort())
process.once("SIGTERM", () => interrupted.abort())
// Whoever reads no further, such as head, has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
  process.exit(0)
})

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  version,
  out: (output) => void process.stdout.write(output),
  error: (output) => void process.stderr.write(output),
  isTty: process.stdout.isTTY === true,
  stdin: () => text(process.stdin),
  signal: interrupted.signal,
  now: Date.now,
})
