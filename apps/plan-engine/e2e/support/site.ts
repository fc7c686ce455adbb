import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type JsonObject, MemoryStore, Namespace } from "@orra/core"
import { initService, type PlanService, type RegisterOptions, recordServiceStore } from "@orra/plan-sdk"
import { fakeModelServer } from "@orra/testing"
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core"
import { type EngineProcess, engineProcess } from "./engine-process.ts"

/** A plan as the model of a test writes it, with names in the place of the ids of services. */
export type Written = readonly { readonly id: string; readonly service: string; readonly input: JsonObject }[]

/** Only for what never comes: a slow machine is no failure. */
const PATIENCE_MS = 120_000

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] } as const

/** A real engine in a process, a model on a socket, services with the real SDK, and a real browser. */
export class Site {
  /** What the model plans next, and from then on. */
  plan: Written = []
  /** A key of the project. */
  key = ""
  /** What went wrong in a page: scripts that threw, broken rules, requests to elsewhere. */
  readonly problems: string[] = []
  readonly engine: EngineProcess
  readonly #browser: Browser
  readonly #services = new Map<string, PlanService>()
  readonly #stop: () => Promise<unknown>

  private constructor(engine: EngineProcess, browser: Browser, stop: () => Promise<unknown>) {
    this.engine = engine
    this.#browser = browser
    this.#stop = stop
  }

  /** `env` is added to that of the engine. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), "plan-engine-page-"))
    const model = await fakeModelServer([], { otherwise: () => site.#written() })
    const [engine, browser] = await Promise.all([
      engineProcess({
        cwd: folder,
        env: { PORT: "0", LLM_API_BASE_URL: model.openaiUrl, LOG_LEVEL: "debug", ...env },
      }),
      openBrowser(),
    ])
    if (engine.url === "") throw new Error(`The engine ended: ${engine.stderr()}`)
    const site: Site = new Site(engine, browser, async () => {
      await browser.close()
      engine.child.kill("SIGKILL")
      await engine.ended
      await model.close()
      await rm(folder, { recursive: true, force: true })
    })
    return site
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.engine.url}${path}`, {
      method,
      headers: this.key === "" ? {} : { authorization: `Bearer ${this.key}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text === "" ? undefined : JSON.parse(text)) as T
  }

  async project(name: string): Promise<void> {
    this.key = (await this.ask<{ apiKey: string }>("POST", "/register/project", { name })).apiKey
  }

  /** A service that takes and gives text, unless it says otherwise. */
  async service(
    name: string,
    description: string,
    more: Partial<RegisterOptions<JsonObject, JsonObject>> = {},
  ): Promise<PlanService> {
    const store = recordServiceStore(new MemoryStore(), Namespace.of(name))
    const service = initService({
      name,
      orraUrl: this.engine.url,
      orraKey: this.key,
      persistenceOpts: { method: "custom", customSave: () => {}, customLoad: () => null },
      store,
    })
    this.#services.set(name, service)
    return (await service.register({
      description,
      schema: { input: TEXT, output: TEXT },
      ...more,
    })) as PlanService
  }

  /** @returns the id of the orchestration. */
  async run(content: string, data: JsonObject = { text: "a" }): Promise<string> {
    const fields = Object.entries(data).map(([field, value]) => ({ field, value }))
    return (await this.ask<{ id: string }>("POST", "/orchestrations", { action: { content }, data: fields }))
      .id
  }

  /** A browser of its own, whose pages are watched. */
  async person(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
      ...options,
    })
    context.setDefaultTimeout(PATIENCE_MS)
    context.on("weberror", (error) => this.problems.push(`thrown: ${error.error().message}`))
    context.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy|React|Warning/.test(message.text()))
        this.problems.push(message.text())
    })
    context.on("request", (request) => {
      if (new URL(request.url()).origin !== this.engine.url)
        this.problems.push(`a request to ${request.url()}`)
    })
    return context
  }

  async close(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.shutdown({ timeoutMs: 0 })))
    await this.#stop()
  }

  #written(): string {
    const tasks = this.plan.map((task) => ({
      ...task,
      service: this.#services.get(task.service)?.info.id ?? task.service,
    }))
    return JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...tasks] })
  }
}

const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  })
