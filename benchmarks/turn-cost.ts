// What one more turn costs in a session of 10 and of 10,000 messages, on disk:
// `node --conditions=@orra/source benchmarks/turn-cost.ts [folder]`.
//
// The model is a function in this process and the context budget is the same for both, so what differs is the length
// of the session alone. A budget that takes in the whole session would measure the request instead, which grows with
// what the model is sent whoever sends it.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ModelEvent, Namespace, NO_USAGE, type Provider, Runtime } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"

const MESSAGE = "a message of some forty tokens ".repeat(6).slice(0, 160)
const WINDOWS = 7
const TURNS = 200

const provider: Provider = {
  id: "bench",
  model: "bench",
  async *stream(): AsyncGenerator<ModelEvent> {
    yield {
      type: "done",
      message: { role: "assistant", parts: [{ type: "text", text: MESSAGE }] },
      usage: NO_USAGE,
      finishReason: "stop",
    }
  },
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "orra-bench-"))
const store = await sqliteStore({ path: join(folder, "bench.db") })
try {
  const runtime = new Runtime({
    provider,
    store,
    owner: "bench",
    systemPrompt: "You are a helpful assistant.",
    context: { maxTokens: 8_000 },
  })
  const short = { name: "10 messages", messages: 10, cpu: [] as number[], wall: [] as number[] }
  const long = { name: "10,000 messages", messages: 10_000, cpu: [] as number[], wall: [] as number[] }
  const sessions = [short, long]
  for (const { messages, name } of sessions) await grow(runtime, Namespace.of("bench", name), messages)
  // The windows take turns, so that a machine that slows down slows both.
  for (let window = 0; window < WINDOWS; window++) {
    for (const session of sessions) {
      // A short session stays short: each of its turns has a session of its own.
      const names = Array.from({ length: TURNS }, (_, turn) =>
        session === long
          ? Namespace.of("bench", long.name)
          : Namespace.of("bench", `${short.name} ${window} ${turn}`),
      )
      if (session === short) for (const name of names) await grow(runtime, name, short.messages)
      const began = { cpu: process.cpuUsage(), wall: performance.now() }
      for (const name of names) await runtime.run(name, MESSAGE)
      const { user, system } = process.cpuUsage(began.cpu)
      session.cpu.push((user + system) / TURNS)
      session.wall.push(((performance.now() - began.wall) * 1_000) / TURNS)
    }
  }
  for (const { name, cpu, wall } of sessions) {
    console.log(
      `${name.padEnd(16)} ${median(cpu).toFixed(0)} µs CPU, ${median(wall).toFixed(0)} µs wall a turn`,
    )
  }
  console.log(
    `ratio            ${(median(long.cpu) / median(short.cpu)).toFixed(2)} CPU, ${(median(long.wall) / median(short.wall)).toFixed(2)} wall (promised: at most 1.5)`,
  )
  await runtime.close()
} finally {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}

async function grow(runtime: Runtime, namespace: Namespace, messages: number): Promise<void> {
  for (let written = 0; written < messages; written += 2) await runtime.run(namespace, MESSAGE)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
