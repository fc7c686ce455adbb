// What a person feels in a chat of 5,000 messages, in a real browser against the built Herald:
// `node benchmarks/page.ts [messages]` after `npm run build`; CHROMIUM_PATH names another Chromium.
//
// Opening is from the request for the page to the newest message being painted, in a browser that has the page's files
// in its cache and in one that has not. Typing is from a key press to the next paint, by the browser's own Event Timing.

import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type ModelEvent, Namespace, NO_USAGE, type Provider, Runtime } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { type BrowserContext, chromium, type Page } from "playwright-core"

const MESSAGES = Number(process.argv[2] ?? 5_000)
const ROUNDS = 5
const KEY = "benchmark-key"
const NEWEST = "This is the newest answer."
const NAMESPACE = Namespace.of("web", "long-chat")

const folder = mkdtempSync(join(tmpdir(), "orra-bench-"))
try {
  await fill(join(folder, "data", "herald.db"))
  writeFileSync(
    join(folder, "assistant.toml"),
    // A model is configured and never called: the page would ask for one otherwise.
    `[provider]
provider_type = "openai"
api_url = "http://127.0.0.1:9/v1"
[gateway]
port = 0
api_key = "${KEY}"
[logging]
level = "error"
`,
  )
  const { url, stop } = await startHerald()
  try {
    await measure(url)
  } finally {
    stop()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure(url: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  })
  const cold: number[] = []
  const warm: number[] = []
  const typing: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    await context.request.post(`${url}/api/login`, { data: { key: KEY } })
    cold.push(await open(context, url))
    warm.push(await open(context, url))
    typing.push(...(await typeInto(context, url)))
    await context.close()
  }
  await browser.close()
  console.log(
    `a chat of ${MESSAGES} messages, ${ROUNDS} rounds (promised: opens within 1,000 ms, a key within 50 ms)`,
  )
  row("opens, first visit", cold)
  row("opens, again", warm)
  row("a key to its paint", typing)
}

async function open(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage()
  const ms = await visit(page, url)
  await page.close()
  return ms
}

async function visit(page: Page, url: string): Promise<number> {
  const began = performance.now()
  await page.goto(`${url}/c/${encodeURIComponent(NAMESPACE.key)}`, { waitUntil: "commit" })
  await page.getByText(NEWEST).last().waitFor({ state: "visible" })
  return performance.now() - began
}

/** Durations of the key events of a sentence, 8 ms being the least that the browser reports. */
async function typeInto(context: BrowserContext, url: string): Promise<readonly number[]> {
  const page = await context.newPage()
  await visit(page, url)
  await page.evaluate(() => {
    const durations: number[] = []
    Object.assign(globalThis, { durations })
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (/^key|input/.test(entry.name)) durations.push(entry.duration)
    })
    observer.observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit)
  })
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  await field.pressSequentially("The quick brown fox jumps over the lazy dog.", { delay: 30 })
  await page.waitForTimeout(200)
  const slow = await page.evaluate(() => (globalThis as unknown as { durations: number[] }).durations)
  await page.close()
  return slow.length > 0 ? slow : [8]
}

/** Writes the chat as Herald would have, through the runtime. */
async function fill(path: string): Promise<void> {
  const store = await sqliteStore({ path })
  let answers = 0
  const provider: Provider = {
    id: "bench",
    model: "bench",
    async *stream(): AsyncGenerator<ModelEvent> {
      answers++
      const text =
        answers * 2 >= MESSAGES
          ? NEWEST
          : `Answer **${answers}** with a list:\n\n- one point\n- another, with \`code\`\n\n${answers % 10 === 0 ? "```ts\nconst x: number = 1\n```" : "And a closing sentence."}`
      yield {
        type: "done",
        message: { role: "assistant", parts: [{ type: "text", text }] },
        usage: NO_USAGE,
        finishReason: "stop",
      }
    },
  }
  const runtime = new Runtime({ provider, store, owner: "herald", context: { maxTokens: 8_000 } })
  for (let sent = 0; sent < MESSAGES; sent += 2)
    await runtime.run(NAMESPACE, `Question ${sent / 2 + 1} of many`)
  await runtime.update(NAMESPACE, { title: "A long chat" })
  await runtime.close()
  await store.close()
}

async function startHerald(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const main = fileURLToPath(new URL("../apps/herald/dist/main.js", import.meta.url))
  const child = spawn(process.execPath, [main], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  for await (const chunk of child.stdout) {
    output += String(chunk)
    const url = /(http:\/\/[\w.]+:\d+)\/login/.exec(output)?.[1]
    if (url) {
      child.stdout.resume()
      return { url, stop: () => child.kill("SIGKILL") }
    }
  }
  throw new Error(`Herald stopped before it listened:\n${output}`)
}

function row(what: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN)
  console.log(`${what.padEnd(18)} median ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`)
}
