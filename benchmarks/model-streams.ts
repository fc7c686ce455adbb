// What reading a model's stream costs: `node --conditions=@orra/source benchmarks/model-streams.ts`. The service is
// `fakeModelServer` in a process of its own; figures are this process's CPU time per token, then the fake's own.

import { fork } from "node:child_process"
import { once } from "node:events"
import { claude } from "@orra/claude"
import { type Provider, userMessage } from "@orra/core"
import { openai } from "@orra/openai"
import { fakeModelServer } from "@orra/testing"

const TOKENS = 2_000
const STREAMS = 40
const PARALLEL = 4
const PACED_STREAMS = 500
const PACED_TOKENS = 200
const PACED_MS = 20

const [, file = "", role] = process.argv
if (role === "server") await serve()
else await measure()

async function serve(): Promise<void> {
  const text = (tokens: number) => Array.from({ length: tokens }, (_, index) => `word${index}`).join(" ")
  const fast = await fakeModelServer([], { otherwise: text(TOKENS) })
  const paced = await fakeModelServer([], { otherwise: text(PACED_TOKENS), tokenMs: PACED_MS })
  process.once("disconnect", () => process.exit())
  process.on("message", () => process.send?.(process.cpuUsage()))
  process.send?.([fast.url, paced.url])
}

async function measure(): Promise<void> {
  const server = fork(file, ["server"], { execArgv: ["--conditions=@orra/source"] })
  const [[fast, paced]] = (await once(server, "message")) as [[string, string]]
  await perToken("fetch alone", () => drain(fast))
  await perToken("openai()", () => read(openai({ baseURL: `${fast}/v1`, model: "fake" })))
  await perToken("claude()", () => read(claude({ apiKey: "none", baseURL: fast })))

  const before = await usageOf(server)
  const started = performance.now()
  await Promise.all(Array.from({ length: PACED_STREAMS }, () => drain(paced)))
  const seconds = (performance.now() - started) / 1_000
  const cpu = ((await usageOf(server)) - before) / (PACED_STREAMS * PACED_TOKENS)
  report(
    `fake: ${PACED_STREAMS} streams of ${PACED_TOKENS} tokens, ${PACED_MS} ms apart`,
    `${cpu.toFixed(1)} µs of CPU per token, ${seconds.toFixed(1)} s in all`,
  )
  server.disconnect()
}

async function perToken(what: string, stream: () => Promise<void>): Promise<void> {
  await stream()
  const before = process.cpuUsage()
  for (let done = 0; done < STREAMS; done += PARALLEL) {
    await Promise.all(Array.from({ length: PARALLEL }, stream))
  }
  const { user, system } = process.cpuUsage(before)
  report(what, `${((user + system) / (STREAMS * TOKENS)).toFixed(1)} µs of CPU per token`)
}

async function read(provider: Provider): Promise<void> {
  for await (const event of provider.stream({ messages: [userMessage("Hello")], tools: [] })) {
    if (event.type === "done" && event.usage.outputTokens < TOKENS) throw new Error("Tokens are missing.")
  }
}

async function drain(url: string): Promise<void> {
  const messages = [{ role: "user", content: "Hello" }]
  const body = JSON.stringify({ model: "fake", stream: true, messages })
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", body })
  for await (const bytes of response.body ?? []) if (bytes.length === 0) throw new Error("An empty chunk.")
}

async function usageOf(server: ReturnType<typeof fork>): Promise<number> {
  server.send("usage")
  const [{ user, system }] = (await once(server, "message")) as [NodeJS.CpuUsage]
  return user + system
}

function report(what: string, figure: string): void {
  console.log(`${what.padEnd(60)} ${figure}`)
}
