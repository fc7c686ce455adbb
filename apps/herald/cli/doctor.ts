import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { errorMessage, isObject, MemoryStore, OrraError } from "@orra/core"
import { checkBot } from "@orra/discord"
import type { Environment } from "../server/config/expand.ts"
import type { LoadedConfig } from "../server/config/load.ts"
import { type DataDirectory, openDataDirectory } from "../server/data/directory.ts"
import { databaseFile, existingStore, type HeraldStore, openStore } from "../server/data/store.ts"
import { peersOf } from "../server/federation/peers.ts"
import { exposure } from "../server/listen.ts"
import { systemKeychain } from "../server/provider/keychain.ts"
import { serviceUrl } from "../server/provider/resolve.ts"
import { ProviderService } from "../server/provider/service.ts"
import { openVault } from "../server/provider/vault.ts"
import { LiveConfig } from "../server/settings/live.ts"
import { SavedSettings } from "../server/settings/saved.ts"

/** What was looked at, and what to do if it is not as it should be. */
interface Finding {
  readonly state: "ok" | "note" | "wrong"
  readonly about: string
  readonly said: string
}

export interface DoctorIo {
  readonly env: Environment
  /** Nobody is contacted. */
  readonly isOffline: boolean
  readonly write: (line: string) => void
  /** Default Discord's. */
  readonly discordApi?: string
}

const ok = (about: string, said: string): Finding => ({ state: "ok", about, said })
const note = (about: string, said: string): Finding => ({ state: "note", about, said })
const wrong = (about: string, said: string): Finding => ({ state: "wrong", about, said })

/**
 * Looks at everything Herald needs and says what is wrong with it, and what to do. It calls the model once and asks Discord
 * about the bot, unless it is offline; it says first whom it contacts.
 *
 * @returns the exit code: 1 when something is wrong.
 */
export async function doctor(loaded: LoadedConfig, io: DoctorIo): Promise<number> {
  let isWell = true
  const tell = (...findings: readonly Finding[]): void => {
    for (const { state, about, said } of findings) {
      if (state === "wrong") isWell = false
      io.write(`${state.padEnd(5)}  ${about.padEnd(10)}  ${said}`)
    }
  }
  tell(ok("config", loaded.file ?? "none, all defaults"))
  for (const { line, message } of loaded.notices) tell(note("config", `line ${line}: ${message}`))
  tell(...(await directory(loaded)), await port(loaded))
  await withService(loaded, io, async (service, effective, remark) => {
    if (remark) tell(note("model", remark))
    const origin = serviceUrl(service.state())
    const { token } = effective.config.discord
    const asked = [new URL(origin).host, ...(token === undefined ? [] : ["discord.com"])]
    tell(...hosts(effective))
    if (io.isOffline) return tell(note("network", `not asked: ${asked.join(", ")}`))
    io.write(`…      network     asking ${asked.join(" and ")}`)
    tell(await clock(origin), await model(service))
    if (token !== undefined) tell(await discord(effective, token, io.discordApi))
  })
  io.write(isWell ? "All is well." : "Something is wrong: see above.")
  return isWell ? 0 : 1
}

const LITTLE_SPACE = 200 * 1_048_576

async function directory(loaded: LoadedConfig): Promise<readonly Finding[]> {
  const { dataDir: path } = loaded
  if (!existsSync(path)) return [note("data", `${path} will be made at the first start`)]
  const findings: Finding[] = []
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    findings.push(ok("data", path))
  } catch {
    return [
      wrong(
        "data",
        `${path} is not writable for this user: change its owner, or choose another with --data-dir`,
      ),
    ]
  }
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const megabytes = `${Math.floor(free / 1_048_576).toLocaleString("en")} MB free`
  findings.push(free < LITTLE_SPACE ? wrong("space", `${megabytes}: make room`) : ok("space", megabytes))
  return [...findings, ...modes(path), ...(await database(loaded))]
}

/** Nobody but this user may read what is kept. */
function modes(path: string): readonly Finding[] {
  if (process.platform === "win32") return []
  const open = ["", "herald.db", "vault.key", "push.key", "logs"]
    .map((name) => join(path, name))
    .filter((file) => existsSync(file) && (statSync(file).mode & 0o077) !== 0)
  // What lies in a folder that is closed cannot be reached.
  return (statSync(path).mode & 0o077) === 0 || open.length === 0
    ? [ok("file modes", "this user's alone")]
    : [note("file modes", `others could read ${open.join(", ")}: this user's alone from now on`)]
}

async function database(loaded: LoadedConfig): Promise<readonly Finding[]> {
  const path = databaseFile(loaded)
  if (path === undefined) return [await answers(loaded)]
  if (!existsSync(path)) return []
  try {
    const file = new DatabaseSync(path, { readOnly: true })
    const said = file.prepare("PRAGMA quick_check").get()?.["quick_check"]
    file.close()
    return [said === "ok" ? ok("database", "whole") : damaged(String(said))]
  } catch (error) {
    return [damaged(errorMessage(error))]
  }
}

async function answers(loaded: LoadedConfig): Promise<Finding> {
  try {
    await (await openStore(loaded)).close()
    return ok("database", "PostgreSQL answers")
  } catch (error) {
    return wrong("database", errorMessage(error))
  }
}

const damaged = (said: string): Finding =>
  wrong("database", `damaged (${said}): bring back a backup with \`restore <file> --replace\``)

async function port({ config }: LoadedConfig): Promise<Finding> {
  const { host, port: number } = config.gateway
  const problem = exposure(config)
  if (problem) return wrong("port", problem.message)
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>()
  const server = createServer().once("error", resolve)
  server.listen(number, host, () => server.close(() => resolve(undefined)))
  const error = await promise
  if (!error) return ok("port", `${number} of ${host} is free`)
  if (error.code === "EADDRINUSE") {
    return (await isHerald(host, number))
      ? ok("port", `${number} of ${host} answers: a Herald runs there`)
      : wrong(
          "port",
          `${number} of ${host} is taken by another program: stop that one, or choose another with --port`,
        )
  }
  if (error.code === "EACCES")
    return wrong("port", `${number} is not allowed for this user: choose one above 1023`)
  return wrong("port", `${host} is not an address of this machine (${error.code}): correct gateway.host`)
}

async function isHerald(host: string, number: number): Promise<boolean> {
  try {
    const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host
    const answer = await fetch(`http://${name}:${number}/health`, { signal: AbortSignal.timeout(5_000) })
    const body: unknown = await answer.json()
    return isObject(body) && body["status"] === "ok"
  } catch {
    return false
  }
}

/** The model service and the configuration as they would be at a start. What the page saved is only read while no Herald runs. */
async function withService(
  loaded: LoadedConfig,
  { env }: DoctorIo,
  work: (service: ProviderService, effective: LoadedConfig, remark: string | undefined) => Promise<void>,
): Promise<void> {
  let data: DataDirectory | undefined
  let store: HeraldStore | undefined
  let remark: string | undefined
  try {
    if (existsSync(loaded.dataDir)) data = openDataDirectory(loaded.dataDir)
    if (data) store = await existingStore(loaded)
  } catch (error) {
    remark =
      error instanceof OrraError && error.code === "data_dir_in_use"
        ? "a Herald runs on this data: what was saved from its page is tested there, under Settings"
        : errorMessage(error)
  }
  try {
    const keeping = {
      records: (store ?? new MemoryStore()).records("settings"),
      vault: openVault(loaded.dataDir, systemKeychain(env)),
      hide: () => {},
    }
    const { loaded: effective } = new LiveConfig(loaded, await SavedSettings.open(keeping))
    const service = await ProviderService.start({ ...keeping, loaded: effective, env })
    await work(service, effective, remark)
  } finally {
    await store?.close()
    data?.release()
  }
}

async function model(service: ProviderService): Promise<Finding> {
  const { configured, model: name, sourceLabel: source } = service.state()
  if (!configured) return wrong("model", "no key is set: enter one in the page, or set it in the environment")
  try {
    await service.test()
    return ok("model", `${name} answers; key: ${source}`)
  } catch (error) {
    return wrong("model", `${name}, key: ${source}: ${errorMessage(error)}`)
  }
}

async function discord({ config }: LoadedConfig, token: string, api: string | undefined): Promise<Finding> {
  const { filter } = config.discord
  try {
    const { name } = await checkBot({ token, filter, ...(api !== undefined && { api }) })
    return ok("discord", `${name} may connect; intents for "${filter}" are on`)
  } catch (error) {
    return wrong("discord", errorMessage(error))
  }
}

/** By how much this machine's clock may differ before keys and schedules suffer, in ms. */
const CLOCK_MS = 120_000

/** Any answer has the other's time. */
async function clock(origin: string): Promise<Finding> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  try {
    const { headers } = await fetch(origin, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    })
    const theirs = Date.parse(headers.get("date") ?? "")
    if (Number.isNaN(theirs))
      return note("clock", `${new URL(origin).host} does not say what time it is; zone ${zone}`)
    const seconds = Math.round((Date.now() - theirs) / 1_000)
    return Math.abs(seconds) * 1_000 > CLOCK_MS
      ? wrong("clock", `${Math.abs(seconds)} s ${seconds > 0 ? "ahead" : "behind"}: let the system set it`)
      : ok("clock", `right, zone ${zone}`)
  } catch {
    return note("clock", `${new URL(origin).host} could not be asked; zone ${zone}`)
  }
}

/** Whom a running Herald talks to by itself, besides the model. */
function hosts({ config }: LoadedConfig): readonly Finding[] {
  const { tools, discord, github, mcp, documents, image, voice, push } = config
  const openai = (url: string | undefined): string => (url === undefined ? "api.openai.com" : hostOf(url))
  const search = {
    brave: "api.search.brave.com",
    tavily: "api.tavily.com",
    searxng: hostOf(tools.web_search_url),
  }
  const named = [
    ...(discord.token === undefined ? [] : ["discord.com", "gateway.discord.gg"]),
    ...(tools.web_search ? [search[tools.web_search_provider]] : []),
    ...(github.repositories.length > 0 ? ["api.github.com"] : []),
    ...(documents.embeddings.model === undefined ? [] : [openai(documents.embeddings.api_url)]),
    ...(tools.image_gen ? [openai(image.api_url)] : []),
    ...(voice.enabled ? [openai(voice.api_url)] : []),
    ...mcp.servers.map(({ name, url }) =>
      url === undefined ? `what the program ${name} asks` : hostOf(url),
    ),
    ...peersOf(config).flatMap(({ url }) => (url === undefined ? [] : [hostOf(url)])),
    ...(tools.web_fetch || tools.browser ? ["public pages that a chat names"] : []),
  ]
  return [
    note("hosts", `besides the model: ${named.length === 0 ? "none" : [...new Set(named)].join(", ")}`),
    ...(push.enabled
      ? [note("hosts", `once somebody switches notifications on, their browser's: ${PUSH_SERVICES}`)]
      : []),
  ]
}

const PUSH_SERVICES =
  "fcm.googleapis.com (Chrome, Edge on Android), updates.push.services.mozilla.com (Firefox), *.push.apple.com (Safari), *.notify.windows.com (Edge), or another one that it names"

const hostOf = (url: string | undefined): string =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : "none"
