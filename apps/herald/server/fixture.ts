import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FakeModelServer, fakeModelServer, type WireAnswer, type WireRequest } from "@orra/testing"
import { loadConfig } from "./config/load.ts"
import { type Herald, startHerald } from "./herald.ts"

const KEYS = { owner: "owner-key-0123456789", ada: "adas-key-0123456789", nobody: "no-such-key-0123456" }
const MODEL_KEY = "sk-ant-of-this-test"

/** A Herald with an owner and Ada, each in a namespace of their own, and a model on a socket. */
export interface HeraldSite {
  readonly herald: Herald
  /** What the log has said. */
  readonly logged: readonly string[]
  readonly model: FakeModelServer
  readonly folder: string
  readonly database: string
  /** A request as somebody, with the status and the body of its answer. */
  ask(method: string, path: string, body?: unknown, who?: keyof typeof KEYS): Promise<[number, unknown]>
  /** The answer as it is. */
  fetch(path: string, init?: RequestInit & { readonly who?: keyof typeof KEYS }): Promise<Response>
  /** Ends Herald and starts it again on its data. */
  restart(): Promise<void>
  close(): Promise<void>
}

export async function heraldSite({
  config = "",
  answer,
  discordApi,
  pushService,
  now,
  shareLinks = false,
}: {
  /** What stands in the file besides, given the folder it is in. */
  readonly config?: string | ((folder: string) => string)
  readonly answer?: (request: WireRequest) => WireAnswer
  readonly discordApi?: string
  readonly pushService?: string
  readonly now?: () => number
  readonly shareLinks?: boolean
} = {}): Promise<HeraldSite> {
  const folder = mkdtempSync(join(tmpdir(), "herald-site-"))
  const model = await fakeModelServer([], { apiKey: MODEL_KEY, ...(answer && { otherwise: answer }) })
  const more = typeof config === "string" ? config : config(folder)
  writeFileSync(
    join(folder, "assistant.toml"),
    `[gateway]\nport = 0\napi_key = "${KEYS.owner}"\nshare_links = ${shareLinks}\n[[gateway.keys]]\nname = "Ada"\nkey = "${KEYS.ada}"\nnamespace = "ada"\n${more}`,
  )
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: MODEL_KEY, HERALD_KEYCHAIN: "off" }
  const logged: string[] = []
  const start = (): Promise<Herald> =>
    startHerald(loadConfig({ cwd: folder, env }), {
      version: "1.2.3",
      page: undefined,
      env,
      out: { write: () => undefined },
      terminal: { write: (text) => logged.push(text) },
      login: async () => ({ type: "none" }),
      ...(discordApi !== undefined && { discordApi }),
      ...(pushService !== undefined && { pushService }),
      ...(now && { now }),
    })
  let herald = await start()
  const site: HeraldSite = {
    get herald() {
      return herald
    },
    logged,
    model,
    folder,
    database: join(folder, "data", "herald.db"),
    fetch: async (path, { who = "owner", ...init } = {}) =>
      await fetch(`${herald.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${KEYS[who]}`, "content-type": "application/json" },
      }),
    async ask(method, path, body, who) {
      const response = await site.fetch(path, {
        method,
        ...(who && { who }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return [response.status, await response.json()]
    },
    async restart() {
      await herald.close(0)
      herald = await start()
    },
    async close() {
      await herald.close(0)
      await model.close()
      rmSync(folder, { recursive: true })
    },
  }
  return site
}
