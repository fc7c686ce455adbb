// 500 people talking to Herald at once, each over a WebSocket of their own, each getting a streamed answer of 200 tokens
// from a model service on this machine: `node --conditions=@orra/source benchmarks/many-clients.ts [clients] [tokens]`.
//
// Herald and the model service each run in a process of their own, the clients in this one: three processes share the
// machine, as they would not in real use. Printed: errors, answers that are not whole, the time to the first token and to
// the whole answer, and how long the slowest waited compared with the fastest.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const CLIENTS = Number(process.argv[2] ?? 500)
const TOKENS = Number(process.argv[3] ?? 200)
const TOKEN_MS = 20
const KEY = "benchmark-key"
const ANSWER = Array.from({ length: TOKENS }, (_, index) => `token${index} `).join("")

if (process.argv[2] === "model") await serveModel()
else await measure()

/** In the child: answers every request with the same text, a token at a time. */
async function serveModel(): Promise<void> {
  const { fakeModelServer, say } = await import("@orra/testing")
  const tokens = Array.from({ length: Number(process.argv[3]) }, (_, index) => `token${index} `)
  const server = await fakeModelServer([], { tokenMs: TOKEN_MS, otherwise: say(...tokens) })
  console.log(server.openaiUrl)
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orra-bench-"))
  const children: ChildProcess[] = []
  try {
    const model = await start(
      children,
      fileURLToPath(import.meta.url),
      ["model", String(TOKENS)],
      folder,
      /(http\S+)/,
    )
    writeFileSync(
      join(folder, "assistant.toml"),
      `[provider]\nprovider_type = "openai"\napi_url = "${model}"\n[gateway]\nport = 0\napi_key = "${KEY}"\n`,
    )
    const main = fileURLToPath(new URL("../apps/herald/dist/main.js", import.meta.url))
    const url = await start(children, main, [], folder, /(http:\/\/[\w.]+:\d+)\/login/)
    const herald = children.at(-1)?.pid ?? 0
    const idle = memory(herald)

    const began = performance.now()
    const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => talk(url, index)))
    const wall = performance.now() - began
    const good = clients.filter((client) => client.text === ANSWER)
    const errors = clients.filter((client) => client.error !== undefined)
    console.log(
      `${CLIENTS} clients, ${TOKENS} tokens each, one every ${TOKEN_MS} ms (${TOKENS * TOKEN_MS} ms at best)`,
    )
    console.log(
      `whole answers ${good.length}, errors ${errors.length} ${[...new Set(errors.map((e) => e.error))].join("; ")}`,
    )
    row(
      "first token",
      good.map((client) => client.first),
    )
    row(
      "whole answer",
      good.map((client) => client.done),
    )
    const totals = good.map((client) => client.done).toSorted((a, b) => a - b)
    console.log(`slowest / fastest ${((totals.at(-1) ?? 0) / (totals[0] ?? 1)).toFixed(2)}`)
    console.log(
      `${Math.round((good.length * TOKENS * 1_000) / wall)} tokens/s through Herald; its memory ${idle} → ${memory(herald)} MB`,
    )
    process.exitCode = good.length === CLIENTS ? 0 : 1
  } finally {
    for (const child of children) child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Outcome {
  readonly text: string
  readonly first: number
  readonly done: number
  readonly error?: string
}

/** One person: connects, asks, reads the answer from the events. */
function talk(url: string, index: number): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  // Node's WebSocket takes headers, unlike a browser's.
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, {
    headers: { authorization: `Bearer ${KEY}` },
  } as unknown as string[])
  const namespace = `web:bench-${index}`
  let text = ""
  let whole = ""
  let first = 0
  let began = 0
  const fail = (error: string) => resolve({ text, first, done: 0, error })
  socket.onerror = () => fail("connection failed")
  socket.onclose = ({ code }) => fail(`closed ${code}`)
  socket.onopen = () => {
    began = performance.now()
    socket.send(JSON.stringify({ type: "subscribe", namespace, after: 0 }))
    socket.send(
      JSON.stringify({ type: "chat", id: "1", namespace, message: "Go", inputId: `input-${index}` }),
    )
  }
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data))
    if (frame.type === "error") return fail(`${frame.code}: ${frame.error}`)
    if (frame.type !== "event") return
    const { event } = frame
    if (event.type === "delta") {
      first ||= performance.now() - began
      for (const piece of event.pieces) if (piece.type === "text") text += piece.text
    } else if (event.type === "assistant") {
      whole = event.message.parts.map((part: { text?: string }) => part.text ?? "").join("")
    } else if (event.type === "run_finished") {
      const shownInOrder = whole.startsWith(text)
      resolve({ text: shownInOrder ? whole : text, first, done: performance.now() - began })
      socket.close()
    }
  }
  return promise
}

async function start(
  children: ChildProcess[],
  file: string,
  args: readonly string[],
  cwd: string,
  printed: RegExp,
): Promise<string> {
  const child = spawn(process.execPath, ["--conditions=@orra/source", file, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  })
  children.push(child)
  let output = ""
  for (;;) {
    const found = printed.exec(output)?.[1]
    if (found) {
      // What it prints from now on is read and dropped: a full pipe would stop it.
      child.stdout.resume()
      child.stderr.resume()
      return found
    }
    const [chunk] = await Promise.race([
      once(child.stdout, "data"),
      once(child.stderr, "data"),
      once(child, "exit").then(() => {
        throw new Error(`${file} stopped:\n${output}`)
      }),
    ])
    output += String(chunk)
  }
}

function row(what: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN)
  console.log(`${what.padEnd(13)} p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`)
}

function memory(pid: number): string {
  const status = process.getBuiltinModule("node:fs").readFileSync(`/proc/${pid}/status`, "utf8")
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024).toFixed(0)
}
