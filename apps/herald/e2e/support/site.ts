import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FakeModelServer, fakeModelServer, type WireAnswer, type WireRequest } from "@orra/testing"
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core"
import { type HeraldProcess, heraldProcess } from "../../cli/herald-process.ts"

export const OWNER_KEY = "the-owners-key-of-this-test"
export const MODEL_KEY = "sk-ant-the-right-key"
/** Only for what never comes: a slow machine is no failure. */
const PATIENCE_MS = 120_000

/** The model service that is configured. */
export type Service = "claude" | "openai" | "none"

export interface Site {
  readonly model: FakeModelServer
  readonly folder: string
  herald: HeraldProcess
  /** Starts Herald again on the same port and data, after it was stopped or killed. */
  restart(): Promise<void>
  /** A browser of its own, logged in. What goes wrong in its pages is collected in `problems`. */
  person(options?: BrowserContextOptions): Promise<BrowserContext>
  /** The same, not logged in, and what goes wrong is not watched. */
  stranger(options?: BrowserContextOptions): Promise<BrowserContext>
  readonly problems: string[]
  close(): Promise<void>
}

export interface SiteOptions {
  readonly service?: Service
  readonly answer: (request: WireRequest) => WireAnswer
  /** What stands in the configuration besides the model service and the gateway, as TOML. */
  readonly config?: string
  /** Prepares the data before Herald starts for the first time. */
  readonly prepare?: (folder: string) => Promise<unknown>
  /** One that stays open afterwards. Default: one of its own. */
  readonly browser?: Browser
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    // A turn of the wheel has been carried out when it has been taken.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-dev-shm-usage",
      "--disable-smooth-scrolling",
    ],
  })

/** A real Herald in a process, a model on a socket, and a real browser. */
export async function openSite({
  service = "claude",
  answer,
  config = "",
  prepare,
  browser: shared,
}: SiteOptions): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "herald-page-"))
  const model = await fakeModelServer([], {
    otherwise: answer,
    apiKey: MODEL_KEY,
    models: [
      { id: "claude-opus-4-6", name: "Claude Opus 4.6" },
      { id: "claude-haiku-4-5", name: "Claude Haiku 4.5" },
    ],
  })
  const provider =
    service === "openai"
      ? [
          "[provider]",
          'provider_type = "openai"',
          `api_url = "${model.openaiUrl}"`,
          `api_key = "${MODEL_KEY}"`,
          'model = "claude-opus-4-6"',
        ]
      : []
  await writeFile(
    join(folder, "assistant.toml"),
    [...provider, "[gateway]", "port = 0", `api_key = "${OWNER_KEY}"`, config].join("\n"),
  )
  const env: Record<string, string> = {
    ...(service !== "openai" && { ANTHROPIC_BASE_URL: model.url }),
    ...(service === "claude" && { ANTHROPIC_API_KEY: MODEL_KEY }),
  }
  const start = (args: readonly string[]) =>
    heraldProcess({ cwd: folder, env, args: ["--data-dir", join(folder, "data"), ...args] })
  await prepare?.(folder)
  const [herald, browser] = await Promise.all([start([]), shared ?? openBrowser()])
  const problems: string[] = []
  const site: Site = {
    model,
    folder,
    herald,
    problems,
    async restart() {
      site.herald = await start(["--port", new URL(site.herald.url).port])
    },
    async person(options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        permissions: ["clipboard-read", "clipboard-write"],
        locale: "en-GB",
        ...options,
      })
      context.setDefaultTimeout(PATIENCE_MS)
      await context.request.post(`${site.herald.url}/api/login`, { data: { key: OWNER_KEY } })
      watch(context, site.herald.url, problems)
      return context
    },
    async stranger(options) {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(PATIENCE_MS)
      return context
    },
    async close() {
      if (!shared) await browser.close()
      await site.herald.stop("SIGKILL")
      await model.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return site
}

/** Broken rules of the page's policy, scripts that throw, and requests to anywhere else. */
function watch(context: BrowserContext, url: string, problems: string[]): void {
  context.on("weberror", (error) => problems.push(`thrown: ${error.error().message}`))
  context.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|React|Warning/.test(message.text())) {
      problems.push(message.text())
    }
  })
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url())
    if (/^(?:https?|wss?):$/.test(protocol) && origin !== url && origin !== url.replace("http", "ws")) {
      problems.push(`a request to ${request.url()}`)
    }
  })
}

/** Sends a message the way a person does. */
export async function send(page: Page, text: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  await field.fill(text)
  await field.press("Enter")
}

/** A text in the conversation; the same may be announced elsewhere on the page. */
export const said = (page: Page, text: string | RegExp) => page.locator(".row").getByText(text).first()

/** Waits until nothing is being answered. */
export const settled = (page: Page): Promise<void> =>
  page.locator("[role=log][aria-busy=false]").waitFor({ state: "visible" })

/** The text of the transcript's messages, from top to bottom, as far as they are on the page. */
export const transcript = (page: Page): Promise<readonly string[]> =>
  page.locator(".row .bubble, .row .markdown").allInnerTexts()
