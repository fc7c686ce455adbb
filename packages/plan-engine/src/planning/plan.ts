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
  /** Tasks that it waits for although it uses nothing of what they give. */
  readonly after?: readonly string[]
}

/** What is to be done, in whatever order the data allows. */
export interface Plan {
  /** Everything that is known before: `$task0.name` takes it from here. */
  readonly taskZero: JsonObject
  readonly tasks: readonly PlanTask[]
}

/** The id of the values that are known before. */
export const TASK_ZERO = "task0"

/** The tasks that a task waits for: those whose results it needs, without task zero, and those it says it comes after. */
export const needs = ({ input, after = [] }: PlanTask): ReadonlySet<string> =>
  new Set([
    ...referencesIn(input)
      .map(({ task }) => task)
      .filter((task) => task !== TASK_ZERO),
    ...after,
  ])

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
  const waitsFor = new Map<string, number>()
  const neededBy = new Map<string, string[]>(tasks.map(({ id }) => [id, []]))
  for (const task of tasks) {
    const needed = needs(task)
    waitsFor.set(task.id, needed.size)
    for (const id of needed) neededBy.get(id)?.push(task.id)
  }
  const places = new Map(tasks.map(({ id }, place) => [id, place]))
  const groups: string[][] = []
  let ready = tasks.map(({ id }) => id).filter((id) => waitsFor.get(id) === 0)
  let done = 0
  while (ready.length > 0) {
    groups.push(ready)
    done += ready.length
    const next: string[] = []
    for (const id of ready.flatMap((each) => neededBy.get(each) ?? [])) {
      const left = (waitsFor.get(id) ?? 0) - 1
      waitsFor.set(id, left)
      if (left === 0) next.push(id)
    }
    ready = next.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))
  }
  return done === tasks.length ? groups : undefined
}

/** Of each task all that it waits for, directly or over others. The plan must have an order (`parallelGroups`). */
export function needsOver(plan: Pick<Plan, "tasks">): ReadonlyMap<string, ReadonlySet<string>> {
  const byId = new Map(plan.tasks.map((task) => [task.id, task]))
  const over = new Map<string, ReadonlySet<string>>()
  for (const id of (parallelGroups(plan) ?? []).flat()) {
    const task = byId.get(id)
    const direct = task ? [...needs(task)] : []
    over.set(id, new Set([...direct, ...direct.flatMap((each) => [...(over.get(each) ?? [])])]))
  }
  return over
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
  const known = new Map(Object.entries(taskZero))
  const lastOf = new Map<string, number>()
  const texts = new Map<string, string>()
  const nameOf = (key: string, value: Json): string => {
    const same = JSON.stringify([key, value])
    const found = texts.get(same)
    if (found !== undefined) return found
    for (let count = lastOf.get(key) ?? 1; ; count++) {
      const name = count === 1 ? key : `${key}_${count}`
      if (!known.has(name)) known.set(name, value)
      if (!isSame(known.get(name), value)) continue
      lastOf.set(key, count)
      texts.set(same, name)
      return name
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
  return { taskZero: Object.fromEntries(known), tasks: lifted }
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
