import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { OrraError, type Provider, type SessionStore } from "@orra/core"
import { createPlanEngine, type PlanEngineOptions } from "@orra/plan-engine"
import type { Embedder } from "@orra/search"
import type { Logger } from "pino"
import { openLog, type TextOutput } from "./log.ts"
import { servePage } from "./page.ts"
import type { EmbeddingSettings, ModelSettings, Settings, StoreSettings } from "./settings.ts"

export interface RunningEngine {
  readonly url: string
  /** Ends this process's part: what has not ended goes on in the next process on the same store. */
  close(): Promise<void>
}

/**
 * Starts the engine with its page, and resolves when it listens. No model is asked yet.
 *
 * @throws OrraError with what to do: `port_in_use`, `host_unknown`, `storage_path`, `store_*`.
 */
export async function startEngine(
  settings: Settings,
  io: { readonly page: string | undefined; readonly output: TextOutput },
): Promise<RunningEngine> {
  const { host, port, adminKey, keepMs } = settings
  const log = openLog({ ...settings, level: settings.logLevel, output: io.output })
  const onError = (err: unknown): void => log.error({ err }, "something failed, and went on")
  const [store, provider, embedder, durable] = await Promise.all([
    openStore(settings.store, onError),
    modelOf(settings.model),
    settings.embeddings && embedderOf(settings.embeddings),
    durabilityOf(settings.store),
  ])
  const engine = createPlanEngine({
    store,
    provider,
    onError,
    webhooks: { allowInternal: settings.areInternalWebhooksAllowed },
    observers: [logged(log)],
    ...(embedder && { embedder }),
    ...(!settings.arePlansKept && { cache: false as const }),
    ...(durable && { durable }),
    ...(keepMs !== undefined && { keepMs }),
    ...(adminKey !== undefined && { adminKey }),
    ...(io.page !== undefined && { page: servePage(io.page) }),
  })
  try {
    const url = await engine.listen({ host, port })
    if (io.page === undefined) log.warn("the page was not built: only the API is there")
    log.info({ url, store: where(settings.store), model: provider.model }, "listening")
    return {
      url,
      close: async () => {
        log.info("stopping; what has not ended goes on at the next start")
        await engine.close()
        await store.close()
        log.info("stopped")
      },
    }
  } catch (error) {
    await engine.close()
    await store.close()
    throw listenError(error as NodeJS.ErrnoException, settings)
  }
}

/** Ends in the log: what they were about is on the page. */
const logged = (log: Logger): NonNullable<PlanEngineOptions["observers"]>[number] => ({
  ended: ({ id, status, from, to }) =>
    log.info({ orchestration: id, status, ms: to - from }, "a run has ended"),
  told: ({ plan, event, outcome, attempt, answered }) =>
    log.debug({ orchestration: plan, event, outcome, attempt, answered }, "a webhook was told"),
})

type ClosableStore = SessionStore & { close(): unknown }

async function openStore(store: StoreSettings, onError: (error: unknown) => void): Promise<ClosableStore> {
  const { postgresStore, sqliteStore } = await import("@orra/store-sql")
  if (store.type === "postgres") return await postgresStore({ url: store.url, onError })
  try {
    mkdirSync(dirname(store.path), { recursive: true, mode: 0o700 })
  } catch (error) {
    const message = `STORAGE_PATH ${dirname(store.path)} cannot be made: choose a folder you may write to.`
    throw new OrraError("storage_path", message, {}, error)
  }
  return await sqliteStore({ path: store.path })
}

async function durabilityOf(store: StoreSettings): Promise<PlanEngineOptions["durable"]> {
  return store.type === "postgres" && store.hasDbos
    ? (await import("@orra/plan-dbos")).dbos({ url: store.url })
    : undefined
}

/** Of a database on the network its host and name, without who opens it. */
const where = (store: StoreSettings): string =>
  store.type === "sqlite" ? store.path : new URL(store.url).host + new URL(store.url).pathname

/** The package of the other service is not loaded. */
async function modelOf({ type, name, apiKey, baseURL }: ModelSettings): Promise<Provider> {
  const options = { apiKey, model: name, baseURL }
  return type === "claude"
    ? (await import("@orra/claude")).claude(options)
    : (await import("@orra/openai")).openai(options)
}

async function embedderOf({ model, apiKey, baseURL }: EmbeddingSettings): Promise<Embedder> {
  const { embedder } = await import("@orra/search")
  return embedder({
    model,
    ...(apiKey !== "" && { apiKey }),
    ...(baseURL !== undefined && { url: baseURL }),
  })
}

function listenError(error: NodeJS.ErrnoException, { host, port }: Settings): unknown {
  if (error.code === "EADDRINUSE") {
    const message = `Port ${port} is in use: stop the other program, or set PORT to another one.`
    return new OrraError("port_in_use", message, { port }, error)
  }
  if (error.code === "EACCES")
    return new OrraError(
      "port_not_allowed",
      `Port ${port} needs rights you do not have: set PORT to one above 1023.`,
      { port },
      error,
    )
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return new OrraError("host_unknown", `HOST "${host}" is not an address of this machine.`, { host }, error)
  return error
}
