import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { setTimeout as pause } from "node:timers/promises"
import { Namespace, type Provider, type SessionStore } from "@orra/core"
import type { Embedder } from "@orra/search"
import type { PlanObserver } from "@orra/telemetry"
import { WebSocketServer } from "ws"
import { api, target, VERSION_HEADER } from "./api/api.ts"
import { closeWhenExpired } from "./api/key-expiry.ts"
import { type PlanLimits, RequestRates } from "./api/limits.ts"
import { mayDo, PlanProjects } from "./api/projects.ts"
import { engineMetrics } from "./audit/engine-metrics.ts"
import { ProjectAudit } from "./audit/project-audit.ts"
import { removeEnded } from "./audit/retention.ts"
import { telling } from "./audit/telling.ts"
import type { Durability } from "./execution/durable/durable.ts"
import { News } from "./execution/news.ts"
import { hasEnded } from "./execution/orchestration.ts"
import { Orchestrator } from "./execution/orchestrator.ts"
import type { RetryOptions } from "./execution/run.ts"
import { Groundings } from "./planning/groundings.ts"
import type { PlanCacheOptions } from "./planning/plan-cache.ts"
import { timeOf } from "./stored.ts"
import { PlanWebhooks, type WebhookOptions } from "./webhooks/plan-webhooks.ts"
import { Connections, type ConnectionsOptions } from "./wire/connections.ts"
import { SOCKETS } from "./wire/service-socket.ts"
import { PlanServices } from "./wire/services.ts"

export interface PlanEngineOptions {
  /** Where everything is kept, of several engines on one store as well. */
  readonly store: SessionStore
  /** What makes plans. */
  readonly provider: Provider
  /** Default the provider's. */
  readonly model?: string
  /** How long one answer of the model may take, in ms. Default 180,000. */
  readonly planTimeoutMs?: number
  /** Compares requests with groundings by what they mean. Without one their words are compared. See `embedder` of @orra/search. */
  readonly embedder?: Embedder
  /**
   * Keeps plans for requests that are the same but for their values, 1,000 of a project for 24 hours. False: every request is
   * planned.
   */
  readonly cache?: PlanCacheOptions | false
  /** What may register projects, as a bearer token. Default: whoever connects from this machine may. */
  readonly adminKey?: string
  /** Below which all of it is kept. Default `plan-engine`. */
  readonly namespace?: Namespace
  readonly connections?: ConnectionsOptions
  readonly webhooks?: WebhookOptions
  /** How often tasks are tried, and undoing them. */
  readonly retry?: RetryOptions
  readonly undoRetry?: RetryOptions
  readonly limits?: PlanLimits
  /** For how many ms orchestrations that have ended are kept, with their logs and what webhooks were told. Default for ever. */
  readonly keepMs?: number
  /** Told of plans that have ended and of webhooks, such as `tracePlans()` of @orra/telemetry. */
  readonly observers?: readonly PlanObserver[]
  /** Is asked before the API: answers a request and says so, such as for the files of a web page. */
  readonly page?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** How plans outlive the engine. Default `embedded()`: in the store. */
  readonly durable?: Durability
  /** Told of what failed and nobody was answered. */
  readonly onError?: (error: unknown) => void
}

export interface PlanEngine {
  /**
   * Goes on with what has not ended, and takes requests. Default: port 8005 of 127.0.0.1; port 0 is any that is free.
   *
   * @returns where it listens.
   */
  listen(at?: { readonly port?: number; readonly host?: string }): Promise<string>
  /** Ends this process's part: everything stays as it is, and goes on in the next one. */
  close(): Promise<void>
}

/** How long whoever is still sending a request is waited for when the engine stops. */
const GOODBYE_MS = 2_000
/** How often what is no longer kept is removed, in ms. */
const SWEEP_MS = 3_600_000
const MEBIBYTE = 1024 * 1024

/**
 * The engine that services and clients of the original `orra` connect to as they are.
 *
 * ```ts
 * const engine = createPlanEngine({ store: await sqliteStore({ path: "plans.db" }), provider })
 * console.log(await engine.listen()) // http://127.0.0.1:8005
 * ```
 */
export function createPlanEngine(options: PlanEngineOptions): PlanEngine {
  const { store, namespace: root = Namespace.of("plan-engine"), onError = () => {} } = options
  const {
    requestsPerSecond = 200,
    inFlight = 1_000,
    bodyBytes = MEBIBYTE,
    streams = 200,
    tasks,
  } = options.limits ?? {}
  const stop = new AbortController()
  const projects = new PlanProjects(store, root)
  const services = new PlanServices(store, root)
  const groundings = new Groundings(store, root)
  const connections = new Connections(options.connections, {
    store,
    root,
    onUnasked: (service, frame) => void orchestrator.undoing.heard(service, frame).catch(onError),
    onError,
  })
  const project = (id: string) => projects.get(id)
  const metrics = engineMetrics()
  const told = telling([...(options.observers ?? []), metrics.observer], {
    entries: (orchestration) => orchestrator.entries(orchestration),
    onError,
  })
  const webhooks = new PlanWebhooks(store, root, {
    ...options.webhooks,
    project,
    onError,
    onAttempt: (delivery, attempt) => told.attempted(delivery, attempt),
  })
  const news = new News()
  const orchestrator = new Orchestrator({
    ...options,
    ...(tasks !== undefined && { maxTasks: tasks }),
    root,
    news,
    onChange: (orchestration, before) => {
      // Once, by whoever wrote its end.
      if (hasEnded(orchestration) && before !== undefined && !hasEnded({ status: before }))
        told.ended(orchestration)
    },
    projects,
    services,
    groundings,
    connections,
    webhooks,
    onError,
  })
  const now = async (): Promise<number> => await timeOf(store)
  /** What it begins with: everything that had not ended is gone on with first. */
  let isStarted = false
  const unready = async (): Promise<string | undefined> => {
    if (stop.signal.aborted) return "The engine stops."
    if (!isStarted) return "The engine goes on with what it found."
    return await projects.get("none").then(
      () => undefined,
      () => "The store does not answer.",
    )
  }
  const answer = api({
    ...options,
    maxBodyBytes: bodyBytes,
    maxInFlight: inFlight,
    rates: new RequestRates(requestsPerSecond),
    maxStreams: streams,
    projects,
    services,
    groundings,
    connections,
    orchestrator,
    news,
    webhooks,
    audit: new ProjectAudit(store, root),
    now,
    unready,
    metricsText: () => metrics.text(sockets.clients.size),
    onAnswer: (answered) => metrics.answered(answered),
    signal: stop.signal,
    onError,
  })
  const answering = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    if (options.page?.(request, response)) return
    const answered = answer(request, response).finally(() => answering.delete(answered))
    answering.add(answered)
  })
  const sockets = new WebSocketServer({ ...SOCKETS, noServer: true })
  sockets.on("headers", (headers) => headers.push(VERSION_HEADER.join(": ")))
  server.on("upgrade", (request, socket: Duplex, head) => {
    // Whoever has gone is told nothing.
    socket.on("error", () => {})
    const { path, query } = target(request)
    const owner = async () => {
      const owned = await projects.byKey(query.get("apiKey") ?? "")
      if (!owned || !mayDo(owned.key, "service")) return undefined
      const service = await services.get(owned.project.id, query.get("serviceId") ?? "")
      return service && { service: service.id, key: owned.key }
    }
    const refuse = (status: string): void => {
      // A client that keeps its half open holds nothing here.
      socket.once("finish", () => socket.destroy())
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
    if (path !== "/ws") return refuse("404 Not Found")
    owner().then(
      (owned) => {
        if (stop.signal.aborted) return refuse("503 Service Unavailable")
        if (!owned) return refuse("403 Forbidden")
        const { service, key } = owned
        sockets.handleUpgrade(request, socket, head, (opened) => {
          closeWhenExpired(opened, key)
          connections.add(service, opened, key.hash)
        })
      },
      (error: unknown) => {
        onError(error)
        refuse("500 Internal Server Error")
      },
    )
  })
  let delivering: Promise<void> = Promise.resolve()
  let sweeping: Promise<void> = Promise.resolve()
  const sweep = async (): Promise<void> => {
    const { keepMs } = options
    while (keepMs !== undefined && !stop.signal.aborted) {
      try {
        const before = (await now()) - keepMs
        for (const { id } of await projects.list()) await removeEnded(store, root.child(id), before)
      } catch (error) {
        onError(error)
      }
      await pause(SWEEP_MS, undefined, { signal: stop.signal, ref: false }).catch(() => {})
    }
  }

  return {
    listen: async ({ port = 8005, host = "127.0.0.1" } = {}) => {
      await connections.join()
      const listening = Promise.withResolvers<void>()
      server.once("error", listening.reject)
      server.listen(port, host, listening.resolve)
      await listening.promise
      await orchestrator.recover()
      isStarted = true
      delivering = webhooks.run(stop.signal)
      sweeping = sweep()
      const { address, port: taken, family } = server.address() as AddressInfo
      return `http://${family === "IPv6" ? `[${address}]` : address}:${taken}`
    },
    close: async () => {
      stop.abort()
      await orchestrator.stop()
      await connections.leave()
      for (const socket of sockets.clients) socket.terminate()
      const closed = new Promise((resolve) => server.close(resolve))
      await Promise.race([Promise.all(answering), pause(GOODBYE_MS, undefined, { ref: false })])
      server.closeAllConnections()
      await closed
      await delivering
      await sweeping
    },
  }
}
