import { isObject, type Json, type JsonObject, OrraError, parseJson } from "@orra/core"
import { type Plan, type PlanTask, TASK_ZERO } from "./plan.ts"

/** What a model has answered: a plan, or why there can be none. */
export type Answer =
  | { readonly type: "plan"; readonly plan: Plan }
  | { readonly type: "impossible"; readonly reason: string }

/** The id of the task by which a model says that it cannot be done. */
const FINAL = "final"

/**
 * The plan in what a model wrote: JSON in a fence, or anywhere in the text, with what it thought before left out.
 *
 * @throws OrraError `plan_unreadable`, with what to do about it.
 */
export function readAnswer(text: string): Answer {
  return readPlan(jsonIn(text))
}

/**
 * The plan in a value of JSON: `{"tasks": [{"id": "task0", "input": {…}}, {"id": "task1", "service": "s_…", "input": {…}}]}`.
 *
 * @throws OrraError `plan_unreadable`.
 */
export function readPlan(value: Json): Answer {
  const tasks = isObject(value) ? (value as JsonObject)["tasks"] : undefined
  if (!Array.isArray(tasks)) throw unreadable('it has no list "tasks"')
  let taskZero: JsonObject = {}
  const read: PlanTask[] = []
  for (const [index, each] of tasks.entries()) {
    if (!isObject(each)) throw unreadable(`tasks[${index}] is no object`)
    const { id, service, input = {} } = each as JsonObject
    if (typeof id !== "string" || id === "") throw unreadable(`tasks[${index}] has no "id"`)
    if (!isObject(input)) throw unreadable(`the input of ${id} is no object`)
    const known = id.toLowerCase()
    const given = input as JsonObject
    if (known === FINAL) {
      const { error } = given
      return { type: "impossible", reason: typeof error === "string" ? error : "The model gave no reason." }
    }
    if (known === TASK_ZERO) taskZero = given
    else if (typeof service === "string")
      read.push({ id: known, service: service.toLowerCase(), input: given })
    else throw unreadable(`${id} names no "service"`)
  }
  return { type: "plan", plan: { taskZero, tasks: read } }
}

const unreadable = (what: string): OrraError =>
  new OrraError(
    "plan_unreadable",
    `The answer is no plan: ${what}. Answer with one JSON object in a fence of json.`,
  )

/** The first value of JSON that is whole, in a fence if there is one. */
function jsonIn(text: string): Json {
  const said = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "")
  const fenced = /```(?:json)?\s*\n([\s\S]*?)```/.exec(said)?.[1]
  const from = said.indexOf("{")
  const until = said.lastIndexOf("}")
  const bare = from >= 0 && until > from ? said.slice(from, until + 1) : undefined
  for (const candidate of [fenced, bare]) {
    if (candidate === undefined) continue
    try {
      return parseJson(candidate)
    } catch {
      // The other one may be.
    }
  }
  throw unreadable("there is no whole JSON in it")
}
