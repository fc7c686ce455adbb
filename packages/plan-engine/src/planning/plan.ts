import { isObject, type Json, type JsonObject } from "@orra/core"
import { referencesIn } from "./reference.ts"

/** What a plan may use: a service, or an agent that is one. Schemas are JSON Schema of type object. */
export interface Service {
  /** `s_` and 28 letters where the engine made it. Compared without regard to case: models change it. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly input: JsonObject
  readonly output: JsonObject
}

/** One call of a service. What begins with `$` in its input is taken from another task: `$task1.order.items[0].id`. */
export interface PlanTask {
  readonly id: string
  readonly service: string
  readonly input: JsonObject
}

/** What is to be done, in whatever order the data allows. */
export interface Plan {
  /** Everything that is known before: `$task0.name` takes it from here. */
  readonly taskZero: JsonObject
  readonly tasks: readonly PlanTask[]
}

/** The id of the values that are known before. */
export const TASK_ZERO = "task0"

/** The tasks whose results a task needs, without task zero. */
export const needs = ({ input }: PlanTask): ReadonlySet<string> =>
  new Set(
    referencesIn(input)
      .map(({ task }) => task)
      .filter((task) => task !== TASK_ZERO),
  )

/**
 * The tasks in groups: those of a group can be done at the same time, when all before it are done.
 *
 * ```ts
 * parallelGroups(plan) // [["task1", "task2"], ["task3"]]
 * ```
 *
 * @returns undefined when tasks wait for each other in a circle, or for one that is not there.
 */
export function parallelGroups({ tasks }: Pick<Plan, "tasks">): readonly (readonly string[])[] | undefined {
  const groups: string[][] = []
  const done = new Set<string>()
  let left = tasks.map((task) => ({ id: task.id, needs: needs(task) }))
  while (left.length > 0) {
    const ready = left.filter((task) => task.needs.isSubsetOf(done))
    if (ready.length === 0) return undefined
    const group = ready.map(({ id }) => id)
    groups.push(group)
    for (const id of group) done.add(id)
    left = left.filter(({ id }) => !done.has(id))
  }
  return groups
}

/** Tasks that no other needs: what they give is what comes of the plan. */
export function leaves({ tasks }: Pick<Plan, "tasks">): readonly string[] {
  const needed = new Set(tasks.flatMap((task) => [...needs(task)]))
  return tasks.map(({ id }) => id).filter((id) => !needed.has(id))
}

/**
 * The plan with every constant in task zero, as clients of the original engine know it: `{ "amount": 5 }` becomes
 * `{ "amount": "$task0.amount" }`. A name that is taken by another value gets a number: `amount_2`. Values that hold
 * references are left as they are.
 */
export function withConstantsInTaskZero({ taskZero, tasks }: Plan): Plan {
  const known: Record<string, Json> = { ...taskZero }
  const nameOf = (key: string, value: Json): string => {
    for (let count = 1; ; count++) {
      const name = count === 1 ? key : `${key}_${count}`
      if (!Object.hasOwn(known, name)) known[name] = value
      if (isSame(known[name], value)) return name
    }
  }
  const lifted = tasks.map((task) => ({
    ...task,
    input: Object.fromEntries(
      Object.entries(task.input).map(([key, value]) =>
        referencesIn(value).length > 0 ? [key, value] : [key, `$${TASK_ZERO}.${nameOf(key, value)}`],
      ),
    ),
  }))
  return { taskZero: known, tasks: lifted }
}

/** Whether two values of JSON are the same, in whatever order their members are. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  if (isObject(a) && isObject(b)) {
    const [ofA, ofB] = [a as JsonObject, b as JsonObject]
    const keys = Object.keys(ofA)
    return (
      keys.length === Object.keys(ofB).length &&
      keys.every((key) => Object.hasOwn(ofB, key) && isSame(ofA[key], ofB[key]))
    )
  }
  return a === b
}
