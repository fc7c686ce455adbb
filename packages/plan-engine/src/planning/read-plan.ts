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
  const members = isObject(value) ? (value as JsonObject) : {}
  const { impossible, constants, tasks } = members
  if (typeof impossible === "string" && impossible.trim() !== "")
    return { type: "impossible", reason: impossible }
  if (!Array.isArray(tasks)) throw unreadable('it has no list "tasks"')
  let taskZero = constants === undefined ? {} : inputOf(constants, TASK_ZERO)
  const read: PlanTask[] = []
  for (const [index, each] of tasks.entries()) {
    if (!isObject(each)) throw unreadable(`tasks[${index}] is no object`)
    const { id, service, input = {}, after = [] } = each as JsonObject
    if (typeof id !== "string" || id === "") throw unreadable(`tasks[${index}] has no "id"`)
    const known = id.toLowerCase()
    const given = inputOf(input, id)
    if (known === FINAL) {
      const { error } = given
      return { type: "impossible", reason: typeof error === "string" ? error : "The model gave no reason." }
    }
    if (known === TASK_ZERO) taskZero = given
    else if (typeof service !== "string") throw unreadable(`${id} names no "service"`)
    else if (!Array.isArray(after) || !after.every((other) => typeof other === "string"))
      throw unreadable(`"after" of ${id} is no list of ids`)
    else {
      const waits = after.map((other) => other.toLowerCase()).filter((other) => other !== TASK_ZERO)
      const task = { id: known, service: service.toLowerCase(), input: given }
      read.push(waits.length > 0 ? { ...task, after: waits } : task)
    }
  }
  return { type: "plan", plan: { taskZero, tasks: read } }
}

/** An input: an object, or the list of names and values that `planForm` asks for. */
function inputOf(input: Json, id: string): JsonObject {
  if (isObject(input)) return input as JsonObject
  if (!Array.isArray(input)) throw unreadable(`the input of ${id} is no object`)
  const entries = input.map((each): readonly [string, Json] => {
    const { name, value = null } = isObject(each) ? (each as JsonObject) : {}
    if (typeof name !== "string" || name === "")
      throw unreadable(`something in the input of ${id} has no "name"`)
    const { json, ...more } = isObject(value) ? (value as JsonObject) : {}
    if (typeof json !== "string" || Object.keys(more).length > 0) return [name, value]
    try {
      return [name, parseJson(json)]
    } catch {
      throw unreadable(`"${name}" of ${id} is no whole JSON`)
    }
  })
  return Object.fromEntries(entries)
}

const unreadable = (what: string): OrraError =>
  new OrraError(
    "plan_unreadable",
    `The answer is no plan: ${what}. Answer with one JSON object in a fence of json.`,
  )

/** The first value of JSON that is whole, in a fence if there is one. */
export function jsonIn(text: string): Json {
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
