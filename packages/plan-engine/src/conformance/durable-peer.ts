import process from "node:process"
import { type Json, Namespace } from "@orra/core"
import { heard, say } from "@orra/testing/process"
import type { Durability, Durable, DurableHost } from "../execution/durable/durable.ts"
import { durableWorkflows, type Said } from "./durable-workflows.ts"

export { enginePeer } from "./engine-peer.ts"

export type Command =
  | { readonly op: "start"; readonly workflow: string; readonly run: string; readonly input: Json }
  | { readonly op: "signal"; readonly run: string; readonly topic: string; readonly value: Json }
  | { readonly op: "cancel"; readonly run: string }
  | { readonly op: "list"; readonly prefix: string; readonly limit: number }
  | { readonly op: "close" }

/** What a peer says: what its workflows do, that it is open, an answer to a command, an error. */
export type Reply =
  | Said
  | { readonly type: "answer"; readonly value: Json }
  | { readonly type: "error"; readonly message: string }

/**
 * The process of a peer: does what it is told, and kills itself (SIGKILL) at the so-manyth thing its workflows say, `killAt`; 0
 * is never. `root` and `killAt` are its last arguments.
 */
export async function durablePeer(
  durability: Durability,
  store: DurableHost["store"],
  root: string,
  killAt: string,
): Promise<void> {
  let count = 0
  const workflows = durableWorkflows(async (said) => {
    await say(said)
    if (++count === Number(killAt)) process.kill(process.pid, "SIGKILL")
  })
  const onError = (error: unknown): void => void say({ type: "error", message: String(error) })
  const durable = durability({ store, root: Namespace.parse(root), workflows, onError })
  await durable.open()
  await say({ type: "answer", value: "open" })
  for await (const command of heard<Command>()) {
    await say({ type: "answer", value: await answerOf(durable, command) })
    if (command.op === "close") return
  }
}

async function answerOf(durable: Durable, command: Command): Promise<Json> {
  switch (command.op) {
    case "start":
      await durable.start(command.workflow, Namespace.parse(command.run), command.input)
      return null
    case "signal":
      await durable.signal(Namespace.parse(command.run), command.topic, command.value)
      return null
    case "cancel":
      await durable.cancel(Namespace.parse(command.run))
      return null
    case "list": {
      const { limit } = command
      const found: Json[] = []
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = await durable.list(Namespace.parse(command.prefix), { limit, ...(cursor && { cursor }) })
        for (const { namespace, workflow, isCancelled } of page.items)
          found.push({ run: namespace.key, workflow, isCancelled })
        cursor = page.cursor
      }
      return found
    }
    case "close":
      await durable.close()
      return null
  }
}
