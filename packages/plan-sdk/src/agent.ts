import {
  errorMessage,
  InvalidInput,
  type Json,
  type JsonObject,
  type Namespace,
  parseJson,
  type Runtime,
  type Team,
} from "@orra/core"
import { type AnySchema, taskSchema } from "./schema.ts"
import { initAgent, type PlanService, type ServiceOptions } from "./service.ts"
import { FinalFailure, type Task } from "./task.ts"

export interface ServeAgentOptions extends ServiceOptions {
  /** What it can do, for whoever plans. */
  readonly description: string
  /** Below it each task has a session of its own, with the rights and budgets of this namespace. */
  readonly namespace: Namespace
  /** What it takes and gives. Default: `{ message }` and `{ answer }`, both text. */
  readonly schema?: { readonly input: AnySchema; readonly output: AnySchema }
  /** Of a team, the agent that answers. Default: the one the team finds. */
  readonly agent?: string
  /** Who asks, for policies and the log. Default: `plan`. */
  readonly principal?: string
  /** How often the engine is told that the agent is at work, in ms: less than its timeout. Default 10,000. */
  readonly updateMs?: number
}

const text = (name: string) =>
  ({ type: "object", properties: { [name]: { type: "string" } }, required: [name] }) as const
const SPOKEN: { readonly input: AnySchema; readonly output: AnySchema } = {
  input: text("message"),
  output: text("answer"),
}

/** So often an agent is asked within a task before it is given up. */
const MAX_MESSAGES = 5

/**
 * Makes an agent, or a team of them, a service of a plan engine.
 *
 * ```ts
 * const service = await serveAgent(runtime, {
 *   name: "researcher", description: "Finds things out.", orraUrl, orraKey, namespace: Namespace.of("plans", "researcher"),
 * })
 * ```
 *
 * With a `schema` the agent gets the task's input as JSON and is asked for JSON, which is checked, and asked again when
 * that does not fit. A process that comes after one that was killed goes on with its run, if the runtime's store lasts. While a person has to
 * agree to what the agent wants, the task waits.
 *
 * @throws as `register`.
 */
export async function serveAgent(agents: Runtime | Team, options: ServeAgentOptions): Promise<PlanService> {
  const {
    namespace,
    description,
    principal = "plan",
    agent,
    updateMs = 10_000,
    onError = console.error,
  } = options
  const runtime = "runtime" in agents ? agents.runtime : agents
  const schema = options.schema ?? SPOKEN
  const { output } = taskSchema(schema)
  const isSpoken = options.schema === undefined
  const form = `Answer with nothing but JSON of this schema:\n${JSON.stringify(output.json)}`

  const service = initAgent(options)
  const served = await service.register({ description, schema })
  served.start(async (task) => {
    const session = namespace.child(task.idempotencyKey)
    // A process that was killed holds its run until its lease is over: it is looked for again.
    const goOn = () => runtime.recover(session, { resume: true })
    const beat = setInterval(() => {
      task.pushUpdate({ status: "working" })
      goOn().catch(onError)
    }, updateMs)
    try {
      await goOn()
      return await answer(session, task)
    } finally {
      clearInterval(beat)
    }
  })
  return service

  /**
   * What the first run gives that ended well and gave what it should. Each message has a number, so that the runs of a process
   * before this one are found again, whether they go on or have ended.
   */
  async function answer(session: Namespace, task: Task<unknown>): Promise<unknown> {
    const question = isSpoken
      ? String((task.input as JsonObject)["message"])
      : `${JSON.stringify(task.input)}\n\n${form}`
    let message = question
    for (let number = 1; number <= MAX_MESSAGES; number++) {
      const { ended, isOld } = await ask(session, `task ${number}`, message, task)
      message = question
      if (ended.outcome === "completed") {
        const { text } = await runtime.result(session, ended.runId)
        try {
          const value = isSpoken ? { answer: text } : jsonIn(text)
          await output.parse(value)
          return value
        } catch (error) {
          message = `${errorMessage(error)} ${form}`
        }
      } else if (!isOld) throw new Error(ended.error?.message ?? `The agent's run was ${ended.outcome}.`)
    }
    throw new FinalFailure(`The agent gave no answer that fits in ${MAX_MESSAGES} attempts.`)
  }

  async function ask(session: Namespace, inputId: string, message: string, task: Task<unknown>) {
    const { signal } = task
    const named = agent === undefined ? {} : { agent }
    const { cursor, status } = await agents.submit(session, message, { inputId, principal, signal, ...named })
    for await (const event of runtime.subscribe(session, { after: cursor, signal })) {
      if (event.type === "failure") throw new Error(event.failure.message)
      if (event.type === "tool_intent") task.pushUpdate({ status: "working", tool: event.name })
      if (event.type === "run_finished") return { ended: event, isOld: status === "duplicate" }
    }
    throw signal.reason
  }
}

/** The JSON in an answer, bare or in a fence. @throws InvalidInput. */
function jsonIn(said: string): Json {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(said)?.[1] ?? said
  try {
    return parseJson(fenced.trim())
  } catch {
    throw new InvalidInput("That is not JSON.")
  }
}
