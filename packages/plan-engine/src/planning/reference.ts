import { isObject, type Json, type JsonObject, OrraError } from "@orra/core"

/** A place in what a task gave. */
export interface Reference {
  /** As it is written: `$task1.items[0].id`. */
  readonly text: string
  readonly task: string
  readonly path: readonly (string | number)[]
  /** The path in one piece: names may have dots in them. */
  readonly whole: string
}

/** A text that is nothing but a reference. Anything else that begins with `$` is text. */
const REFERENCE = /^\$([A-Za-z][\w-]*)\.([^\s].*)$/s
const STEP = /([^.[\]]+)|\[(\d+)\]/g

/** @returns undefined for what is no reference. */
export function readReference(value: Json): Reference | undefined {
  if (typeof value !== "string") return undefined
  const [, task, whole] = REFERENCE.exec(value) ?? []
  if (task === undefined || whole === undefined) return undefined
  const path = [...whole.matchAll(STEP)].map(([, name, index]) => name ?? Number(index))
  return path.length === 0 ? undefined : { text: value, task: task.toLowerCase(), path, whole }
}

/** All references in a value, however deep. */
export function referencesIn(value: Json): readonly Reference[] {
  const reference = readReference(value)
  if (reference) return [reference]
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  return isObject(value) ? Object.values(value as JsonObject).flatMap(referencesIn) : []
}

/** A task gave no such value. */
export const missing = ({ text }: Reference): OrraError =>
  new OrraError("plan_reference_missing", `${text} is not there: that task gave no such value.`, {
    reference: text,
  })

/**
 * A value with what its references stand for. `outputs` are what tasks gave, by their ids, and task zero.
 *
 * @throws OrraError `plan_reference_missing`: nothing is left out silently.
 */
export function resolve(value: Json, outputs: ReadonlyMap<string, Json>): Json {
  const reference = readReference(value)
  if (reference) {
    const found = valueAt(outputs.get(reference.task), reference)
    if (found === undefined) throw missing(reference)
    return found
  }
  if (Array.isArray(value)) return value.map((item) => resolve(item, outputs))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [key, resolve(each, outputs)]),
  )
}

/** The value at a place; undefined when there is none. A member whose name is the whole path goes before the path. */
export function valueAt(
  from: Json | undefined,
  { path, whole }: Pick<Reference, "path" | "whole">,
): Json | undefined {
  if (isObject(from) && Object.hasOwn(from, whole)) return (from as JsonObject)[whole]
  let value: Json | undefined = from
  for (const step of path) {
    if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined
    else value = isObject(value) && Object.hasOwn(value, step) ? (value as JsonObject)[step] : undefined
    if (value === undefined) return undefined
  }
  return value
}
