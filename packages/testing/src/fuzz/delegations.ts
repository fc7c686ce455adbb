import {
  type Entry,
  type Hooks,
  isDelegated,
  messageText,
  Namespace,
  type TeamAgent,
  toolCalls,
} from "@orra/core"
import { DELEGATING } from "./steps.ts"

/** Who answers in a sequence with a team. The last one cannot do what cannot be repeated. */
export const AGENTS: readonly [TeamAgent, TeamAgent, TeamAgent] = [
  { name: "Ann", systemPrompt: "Be kind." },
  { name: "Bea", systemPrompt: "Be brief." },
  { name: "Cy", systemPrompt: "Be careful.", policy: { deny: ["act"] } },
]

/** Below a session are those of the tasks it has handed on. */
const SEGMENT = "~agents"

/** Small enough to be reached, and a time in which every sequence has ended. */
export const DELEGATION = { maxDepth: 2, maxFanOut: 3, timeoutMs: 60_000 } as const

/** What a model writes to hand on a task, as call `n`. */
export const taskText = (n: number): string =>
  JSON.stringify({ n, agent: AGENTS[n % AGENTS.length]?.name, task: `⟦t${n}⟧ Do it.` })

/** Says in each request in which session it is made, and finds it again in what was sent. */
export class SessionMarks {
  readonly #sessions: Namespace[] = []

  readonly hooks: Hooks = {
    name: "session mark",
    beforeModel: (request, { namespace }) => {
      const known = this.#sessions.findIndex((each) => each.equals(namespace))
      const index = known >= 0 ? known : this.#sessions.push(namespace) - 1
      return { ...request, system: `${request.system ?? ""} ⟦s${index}⟧` }
    },
  }

  /** Undefined for a request that is of no session's transcript. */
  of(body: string): Namespace | undefined {
    const index = body.match(/⟦s(\d+)⟧/u)?.[1]
    return index === undefined ? undefined : this.#sessions[Number(index)]
  }
}

/** A session and what is in its log. */
export interface LoggedSession {
  readonly namespace: Namespace
  readonly entries: readonly Entry[]
}

/** Why what is sent for a task, with room for all of it, is not about that task, or undefined. */
export function taskProblem(body: string, written: readonly Entry[]): string | undefined {
  const asked = written.find((entry) => entry.type === "user")
  const task = asked && messageText(asked.message).match(/⟦t\d+⟧/u)?.[0]
  return task === undefined || body.includes(task) ? undefined : `The task ${task} is not in the request.`
}

/**
 * What is wrong between those who hand on tasks and those who do them, or undefined: a task that nobody decided to hand
 * on or that was begun twice, a key that is of two sessions, a result that is not what came of the task.
 * `complete`: no session was deleted.
 */
export function delegationProblem(sessions: readonly LoggedSession[], complete: boolean): string | undefined {
  const keys = new Map<string, string>()
  const logs = new Map(sessions.map(({ namespace, entries }) => [namespace.key, entries]))
  for (const { namespace, entries } of sessions) {
    for (const entry of entries) {
      if (entry.type !== "tool_intent") continue
      const owner = keys.get(entry.idempotencyKey) ?? namespace.key
      if (owner !== namespace.key)
        return `${owner} and ${namespace.key} have the key ${entry.idempotencyKey}.`
      keys.set(entry.idempotencyKey, namespace.key)
      const isTask = DELEGATING.some((name) => name === entry.name)
      const result = resultOf(entries, entry)
      const child = childOf(namespace, entry)
      if (isTask && complete && result?.result.status === "ok" && !logs.has(child.key))
        return `Call ${entry.callId} of ${namespace.key} has a result, and nobody was given the task.`
    }
  }
  for (const { namespace, entries } of sessions) {
    if (!isDelegated(namespace) || entries.length === 0) continue
    const at = namespace.segments.lastIndexOf(SEGMENT)
    const from = Namespace.of(...namespace.segments.slice(0, at))
    const problem = childProblem({ namespace, entries }, from, logs.get(from.key) ?? [], complete)
    if (problem) return `The task in ${namespace.key} ${problem}`
  }
  return undefined
}

/** A session that waits for nothing but tasks that are over, of which nobody told it, or undefined. */
export function untoldProblem(sessions: readonly LoggedSession[]): string | undefined {
  const logs = new Map(sessions.map(({ namespace, entries }) => [namespace.key, entries]))
  const isOver = (task: Namespace): boolean =>
    logs.get(task.key)?.some(({ type }) => type === "run_finished") ?? false
  for (const { namespace, entries } of sessions) {
    const last = entries.findLast((entry) => entry.type === "assistant")
    const wait = entries.at(-1)
    if (wait?.type !== "run_waiting" || last?.runId !== wait.runId) continue
    const open = toolCalls(last.message).map(({ id }) =>
      entries.findLast(
        (entry): entry is Entry<"tool_intent" | "tool_result"> =>
          (entry.type === "tool_intent" || entry.type === "tool_result") &&
          entry.runId === wait.runId &&
          entry.callId === id,
      ),
    )
    const waits = open.filter((entry) => entry?.type !== "tool_result")
    const isUntold = waits.every(
      (entry) =>
        entry?.type === "tool_intent" &&
        entry.decision === "allow" &&
        DELEGATING.some((name) => name === entry.name) &&
        isOver(childOf(namespace, entry)),
    )
    if (isUntold) return `${namespace.key} waits for a task that is over.`
  }
  return undefined
}

const resultOf = (entries: readonly Entry[], of: Entry<"tool_intent">): Entry<"tool_result"> | undefined =>
  entries.find(
    (entry): entry is Entry<"tool_result"> =>
      entry.type === "tool_result" && entry.runId === of.runId && entry.callId === of.callId,
  )

const childOf = (namespace: Namespace, { runId, idempotencyKey }: Entry<"tool_intent">): Namespace =>
  namespace.child(SEGMENT, runId, idempotencyKey.replaceAll(":", "."))

function childProblem(
  { namespace, entries }: LoggedSession,
  from: Namespace,
  caller: readonly Entry[],
  complete: boolean,
): string | undefined {
  // What a runtime says itself, to go on after a crash, is no task.
  const asked = entries.filter(
    (entry): entry is Entry<"user"> => entry.type === "user" && entry.message.origin?.kind !== "host",
  )
  const begun = entries.filter((entry) => entry.type === "run_started")
  if (asked.length !== 1 || begun.length !== 1)
    return `was given ${asked.length} times and begun ${begun.length} times.`
  const key = asked[0]?.inputId
  const intent = caller.find((entry) => entry.type === "tool_intent" && entry.idempotencyKey === key)
  if (intent?.type !== "tool_intent") return complete ? "was decided by nobody." : undefined
  if (namespace.key !== childOf(from, intent).key) return "is not where its caller's tasks are."
  const end = entries.find((entry) => entry.type === "run_finished")
  const result = resultOf(caller, intent)
  if (result?.result.status !== "ok") return undefined
  if (end?.outcome !== "completed")
    return `was ${end?.outcome ?? "not done"}, and its caller was told that it is.`
  const answer = entries.findLast((entry) => entry.type === "assistant")
  const said = answer ? messageText(answer.message) : ""
  const told = result.result.content.map((part) => (part.type === "text" ? part.text : "")).join("")
  return told.includes(said.trim()) ? undefined : `ended with "${said}", and its caller was told "${told}".`
}
