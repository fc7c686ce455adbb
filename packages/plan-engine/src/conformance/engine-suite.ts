import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type JsonObject, randomId } from "@orra/core"
import { type Child, freePort, startChild } from "@orra/testing/process"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { WebSocket } from "ws"
import type { EngineSaid } from "./engine-peer.ts"

export interface EngineSubject {
  /** A module that calls `enginePeer` with its last arguments. */
  readonly peer: URL
  /** Its first arguments, such as where the store is. */
  readonly args: () => readonly string[]
}

/** Some fifty places, at each of which two processes start. */
const LONG_MS = 900_000

/**
 * Registers the vitest tests of an engine that is killed wherever it writes: what it was asked for comes to its end in the
 * next one, no task is sent under two keys, everything that was done is undone, and its end is told under one id.
 */
export function engineConformance(name: string, { peer, args }: EngineSubject): void {
  describe(name, () => {
    const site = new Site()
    let engine: Engine | undefined
    beforeAll(async () => {
      await site.open()
    })
    afterAll(async () => {
      await engine?.kill()
      await site.close()
    })
    const start = async (killAt = ""): Promise<Engine> => {
      engine = new Engine(peer, [...args(), String(site.port), site.plan(), killAt])
      await engine.opened
      await site.connect()
      return engine
    }

    /** Once to its end, which says where there is something to kill at. */
    const whole = async (): Promise<readonly string[]> => {
      const one = await start()
      await site.ended(await site.ask())
      await site.told()
      await one.wrote("after plan-webhooks gone 1")
      await one.kill()
      return one.said
    }

    test(
      "killed wherever it writes, the next one ends what was begun, and nothing is done under two keys",
      async () => {
        const first = await start()
        await site.register()
        await first.kill()
        for (const place of await whole()) {
          const killed = await start(place)
          const asked = await site.ask().catch(unlessAnswered)
          const { signal, complaint } = await killed.child.ended
          expect(signal, `${place}: ${complaint}`).toBe("SIGKILL")
          const next = await start()
          // Who heard no id may have been heard: what is there has to come to its end as well.
          for (const id of asked === undefined ? await site.all() : [asked]) await site.ended(id)
          await site.told()
          await site.listenAnew()
          await next.kill()
          expect(site.faults(), place).toEqual([])
        }
      },
      LONG_MS,
    )
  })
}

/** An engine that is killed does not answer; one that refuses has not been killed. */
function unlessAnswered(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error
}

/** The process of an engine. */
class Engine {
  readonly child: Child
  readonly opened: Promise<void>
  /** What it has written, in order and with the count of each. */
  readonly said: string[] = []

  constructor(module: URL, given: readonly string[]) {
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.child = startChild<EngineSaid>(module, given, ({ type, what }) => {
      if (type === "open") opened.resolve()
      else if (type !== "error") this.said.push(`${type} ${what}`)
    })
    void this.child.ended.then(({ complaint }) => opened.reject(new Error(`The engine ended: ${complaint}`)))
    // One that is killed while it opens has opened for nobody.
    this.opened.catch(() => {})
  }

  async wrote(what: string): Promise<void> {
    while (!this.said.includes(what)) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL")
    await this.child.ended
  }
}

const NAMES = ["first", "second", "third"] as const
const SCHEMA = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }

/** What there is around an engine and outlives it: three services, and a webhook. The third service refuses what it is asked. */
class Site {
  port = 0
  #key = ""
  #url: string | undefined
  readonly #ids = new Map<string, string>()
  #sockets: WebSocket[] = []
  readonly #hooks: Server
  /** Under which keys each was asked for, by what and of which orchestration. */
  readonly #keys = new Map<string, Set<string>>()
  /** What was done and is not undone. */
  readonly #done = new Set<string>()
  /** Ids of the events of each orchestration's end. */
  readonly #events = new Map<string, Set<string>>()
  readonly #ended = new Set<string>()

  constructor() {
    this.#hooks = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const event = JSON.parse(Buffer.concat(chunks).toString())
      const run = String(event.orchestration_id)
      this.#events.set(run, (this.#events.get(run) ?? new Set()).add(String(event.event_id)))
      response.end()
    })
  }

  async open(): Promise<void> {
    this.port = await freePort()
    this.#hooks.listen(0, "127.0.0.1")
    await once(this.#hooks, "listening")
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    this.#hooks.closeAllConnections()
    this.#hooks.close()
  }

  /** Each task takes what the one before gave: who is asked with which text tells which orchestration it is. */
  plan(): string {
    const tasks = NAMES.map((name, index) => ({
      id: `task${index + 1}`,
      service: this.#ids.get(name) ?? name,
      input: { text: `$task${index}.text` },
    }))
    return JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...tasks] })
  }

  async register(): Promise<void> {
    const project = await this.#call("POST", "/register/project", { name: "shop" })
    this.#key = String(project["apiKey"])
    for (const name of NAMES) {
      const schema = { input: SCHEMA, output: SCHEMA }
      const made = await this.#call("POST", "/register/service", {
        name,
        description: `Does ${name}.`,
        schema,
        revertible: true,
      })
      this.#ids.set(name, String(made["id"]))
    }
    await this.listenAnew()
  }

  /** At another address, whose queue holds nothing back: an attempt that a kill cut off is made again after its 10 s. */
  async listenAnew(): Promise<void> {
    const { port } = this.#hooks.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/${randomId()}`
    await this.#call("POST", "/webhooks", { url })
    if (this.#url !== undefined) await this.#call("DELETE", `/webhooks?url=${encodeURIComponent(this.#url)}`)
    this.#url = url
  }

  /** Connects the services, as clients do that were cut off. */
  async connect(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    this.#sockets = await Promise.all(
      [...this.#ids].map(async ([name, id]) => {
        const socket = new WebSocket(`ws://127.0.0.1:${this.port}/ws?serviceId=${id}&apiKey=${this.#key}`)
        socket.on("message", (data) => {
          const answer = this.#answer(name, JSON.parse(String(data)) as JsonObject)
          if (answer) socket.send(JSON.stringify({ id: randomId(), payload: answer }))
        })
        // The engine may be killed at any moment.
        socket.on("error", () => {})
        await new Promise((resolve) => socket.once("open", resolve).once("close", resolve))
        return socket
      }),
    )
  }

  async ask(): Promise<string> {
    const data = [{ field: "text", value: randomId() }]
    const made = await this.#call("POST", "/orchestrations", { action: { content: "Do it." }, data })
    return String(made["id"])
  }

  async all(): Promise<readonly string[]> {
    const groups = Object.values(await this.#call("GET", "/orchestrations")) as JsonObject[][]
    return groups.flat().map(({ id }) => String(id))
  }

  /** As soon as it has come to its end, which is that it was aborted. */
  async ended(id: string): Promise<void> {
    for (;;) {
      const { status } = await this.#call("GET", `/orchestrations/inspections/${id}`)
      if (status !== "pending" && status !== "processing") {
        expect(status).toBe("aborted")
        this.#ended.add(id)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** As soon as the webhook has heard of all that have ended. */
  async told(): Promise<void> {
    while (![...this.#ended].every((id) => this.#events.has(id)))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** What must not be. */
  faults(): readonly string[] {
    const twice = [...this.#keys]
      .filter(([, keys]) => keys.size > 1)
      .map(([what]) => `${what} under two keys`)
    const left = [...this.#done].map((what) => `${what} is not undone`)
    const events = [...this.#events].filter(([, ids]) => ids.size > 1).map(([id]) => `${id} ended twice`)
    return [...twice, ...left, ...events]
  }

  #answer(name: string, frame: JsonObject): JsonObject | undefined {
    const { type, id = "", idempotencyKey, executionId, serviceId, input } = frame
    if (type !== "task_request" && type !== "compensation_request") return undefined
    const isUndo = type === "compensation_request"
    const given = (isUndo ? (input as JsonObject)["originalTask"] : input) as JsonObject
    const what = `${name} ${String(given["text"])}`
    const place = isUndo ? `undoing ${what}` : what
    this.#keys.set(place, (this.#keys.get(place) ?? new Set()).add(String(idempotencyKey)))
    if (isUndo) this.#done.delete(what)
    else if (name !== "third") this.#done.add(what)
    const common = { taskId: id, executionId, idempotencyKey, serviceId } as JsonObject
    if (isUndo) return { ...common, type: "task_result", result: { status: "completed" }, error: null }
    if (name === "third")
      return { ...common, type: "task_abort_result", result: { task: { why: "sold out" } } }
    const compensation = { data: { originalTask: given, taskResult: null }, ttl: 600_000 }
    return { ...common, type: "task_result", result: { task: given, compensation }, error: null }
  }

  async #call(method: string, path: string, body?: JsonObject): Promise<JsonObject> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: this.#key === "" ? {} : { authorization: `Bearer ${this.#key}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    const text = await response.text()
    return text === "" ? {} : (JSON.parse(text) as JsonObject)
  }
}
