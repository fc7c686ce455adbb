import { InvalidInput, isObject, type JsonObject } from "@orra/core"
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec"

/** A schema of zod 4.2, Valibot, ArkType and others, which checks values and gives its JSON Schema. */
export interface StandardTaskSchema<In = unknown, Out = In> {
  readonly "~standard": StandardSchemaV1.Props<In, Out> & StandardJSONSchemaV1.Props<In, Out>
}

/** A Standard Schema, or JSON Schema as it is: that one the engine checks, not the service. */
export type AnySchema = StandardTaskSchema | JsonObject

/** What a schema makes of what travels. Of JSON Schema nothing is known before. */
export type Received<S> = S extends StandardTaskSchema ? StandardSchemaV1.InferOutput<S> : JsonObject

/** What a schema takes. */
export type Given<S> = S extends StandardTaskSchema ? StandardSchemaV1.InferInput<S> : unknown

export interface Checked {
  readonly json: JsonObject
  /** @throws InvalidInput with everything that does not fit. */
  parse(value: unknown): Promise<unknown>
}

/** What a service takes and gives. */
export interface TaskSchema {
  readonly input: Checked
  readonly output: Checked
}

/** @throws InvalidInput when one of the two is missing or gives no JSON Schema. */
export const taskSchema = (schema: {
  readonly input: AnySchema
  readonly output: AnySchema
}): TaskSchema => ({
  input: checked("input", schema.input),
  output: checked("output", schema.output),
})

function checked(side: "input" | "output", schema: AnySchema): Checked {
  if (!isStandard(schema)) {
    if (!isObject(schema)) throw new InvalidInput(`The schema of a service needs both input and output.`)
    return { json: schema, parse: async (value) => value }
  }
  const { vendor, jsonSchema, validate } = schema["~standard"]
  if (!jsonSchema) {
    throw new InvalidInput(`The schema of ${vendor} does not give its JSON Schema: pass JSON Schema instead.`)
  }
  return {
    json: jsonSchema[side]({ target: "draft-07" }) as JsonObject,
    parse: async (value) => {
      const result = await validate(value)
      if (!result.issues) return result.value
      throw new InvalidInput(`The ${side} does not fit: ${result.issues.map(sentence).join(" ")}`)
    },
  }
}

function sentence({ message, path = [] }: StandardSchemaV1.Issue): string {
  const where = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".")
  return `${where && `${where}: `}${message}${message.endsWith(".") ? "" : "."}`
}

const isStandard = (schema: AnySchema): schema is StandardTaskSchema =>
  (isObject(schema) || typeof schema === "function") && "~standard" in schema
