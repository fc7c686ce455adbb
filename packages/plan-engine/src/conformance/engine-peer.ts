import process from "node:process"
import { isObject, type Json, type Records, type SessionStore } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { say } from "@orra/testing/process"
import type { Durability } from "../execution/durable/durable.ts"
import { createPlanEngine } from "../plan-engine.ts"

/** What the process of an engine says: where it listens, and every write to its store, before and after it is made. */
export type EngineSaid =
  | { readonly type: "open" | "error"; readonly what: string }
  | { readonly type: "before" | "after"; readonly what: string }

/** What an engine writes when it plans, carries out, undoes and tells of it. */
const WATCHED: ReadonlySet<string> = new Set([
  "plan-orchestrations",
  "plan-runs",
  "plan-webhooks",
  "durable-runs",
  "durable-steps",
])

/**
 * The process of an engine on a port, whose model always answers with this plan. It says every write, and kills itself
 * (SIGKILL) where it would say `killAt` for the so-manyth time, such as `after plan-runs task_sent 2`; "" is never.
 */
export async function enginePeer(
  durable: Durability,
  store: SessionStore,
  [port = "", plan = "", killAt = ""]: readonly string[],
): Promise<void> {
  const said = new Map<string, number>()
  const tell = async (type: "before" | "after", what: string): Promise<void> => {
    const count = (said.get(`${type} ${what}`) ?? 0) + 1
    said.set(`${type} ${what}`, count)
    await say({ type, what: `${what} ${count}` } satisfies EngineSaid)
    if (`${type} ${what} ${count}` === killAt) process.kill(process.pid, "SIGKILL")
  }
  const engine = createPlanEngine({
    store: watched(store, tell),
    provider: scriptedProvider([], { otherwise: plan }),
    durable,
    connections: { redeliverMs: [200, 500], handoverMs: 50, beatMs: 150 },
    retry: { attempts: 2, delayMs: 1 },
    undoRetry: { delayMs: 1 },
    webhooks: { pauseMs: 50, allowInternal: true },
    onError: (error) => void say({ type: "error", what: String(error) } satisfies EngineSaid),
  })
  const what = await engine.listen({ port: Number(port) })
  await say({ type: "open", what } satisfies EngineSaid)
}

function watched(
  store: SessionStore,
  tell: (type: "before" | "after", what: string) => Promise<void>,
): SessionStore {
  const writing = async <T>(what: string, write: () => Promise<T>): Promise<T> => {
    await tell("before", what)
    const written = await write()
    await tell("after", what)
    return written
  }
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target)
      if (property !== "records") return typeof member === "function" ? member.bind(target) : member
      return (collection: string): Records => {
        const records = target.records(collection)
        if (!WATCHED.has(collection)) return records
        return {
          get: (...given) => records.get(...given),
          list: (...given) => records.list(...given),
          put: (namespace, key, value, options) =>
            writing(`${collection} ${kindOf(value)}`, () => records.put(namespace, key, value, options)),
          write: (changes) => writing(`${collection} several`, () => records.write(changes)),
          delete: (...given) => writing(`${collection} gone`, () => records.delete(...given)),
        }
      }
    },
  })
}

/** The type of a log's entry; how the rest ends. */
const kindOf = (value: Json): string =>
  isObject(value) && isObject(value["entry"]) ? String(value["entry"]["type"]) : "one"
