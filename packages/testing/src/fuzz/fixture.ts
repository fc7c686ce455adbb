import {
  type JsonObject,
  PENDING,
  type Tool,
  type ToolContext,
  tool,
  type UserMessage,
  userMessage,
} from "@orra/core"
import { mark } from "./checks.ts"
import { taskText } from "./delegations.ts"
import type { Execution } from "./log-problem.ts"
import { type Arguments, type CallId, DELEGATING, TOOLS, type ToolName, type Words } from "./steps.ts"

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** A person's message number `n`. */
export function written(words: Words, n: number): UserMessage {
  switch (words) {
    case "plain":
      return userMessage(`${mark(n)} Hello`)
    case "image":
      return userMessage([
        { type: "image", mediaType: "image/png", data: PIXEL },
        { type: "text", text: mark(n) },
      ])
    case "surrogate":
      return userMessage(`${mark(n)} \ud800`)
    case "long":
      return userMessage(`${mark(n)} ${"word ".repeat(300)}`)
    case "empty":
      return userMessage("  ")
  }
}

const isDelegating = (tool: ToolName): boolean => DELEGATING.some((name) => name === tool)

/** What a model writes as the arguments of call `n`. */
export function argumentsText(tool: ToolName, args: Arguments, n: number): string {
  switch (args) {
    case "fine":
      return isDelegating(tool) ? taskText(n) : JSON.stringify({ n })
    case "broken":
      return `{"n":${n}`
    case "list":
      return `[${n}]`
    case "wrong":
      return '{"n":"many"}'
    case "none":
      return ""
    case "surrogate":
      return `{"n":${n},"text":"\\ud800"}`
    case "prototype":
      return `{"n":${n},"__proto__":{"x":1}}`
  }
}

/** The id a model gives to call `n`: some number them anew in each answer, some give none. */
export function callId(id: CallId, n: number): string {
  switch (id) {
    case "new":
      return `call_${n}`
    case "same":
      return "call_0"
    case "none":
      return ""
    case "odd":
      return "functions.look:0 é"
    case "long":
      return `call_${"x".repeat(90)}`
  }
}

export interface FuzzedExecution extends Execution {
  /** The key of its session. */
  readonly session: string
}

/** What the tools of a sequence tell of themselves, and where they wait. */
export interface ToolWorld {
  readonly executions: FuzzedExecution[]
  /** Holds a tool until it is let go; rejects when a signal is given and fires. */
  gate(signal?: AbortSignal): Promise<void>
}

const REPEATABLE: ReadonlySet<string> = new Set(["look", "fail", "big", "later"])

export function fuzzTools(world: ToolWorld): readonly Tool[] {
  return (Object.keys(TOOLS) as (keyof typeof TOOLS)[]).map((name) =>
    tool<{ n: number }>({
      name,
      description: `It ${TOOLS[name]}.`,
      input: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
      risk: REPEATABLE.has(name) ? "read" : "write",
      execute: ({ n }, context) => {
        const { namespace, runId, callId, idempotencyKey } = context
        const again = world.executions.some((other) => other.idempotencyKey === idempotencyKey)
        world.executions.push({
          tool: name,
          session: namespace.key,
          runId,
          callId,
          idempotencyKey,
          idempotent: REPEATABLE.has(name),
        })
        if (name === "later" && !again) return PENDING
        return effect(name, `⟦r${n}⟧ done`, world, context)
      },
    }),
  )
}

async function effect(name: keyof typeof TOOLS, text: string, world: ToolWorld, { signal }: ToolContext) {
  switch (name) {
    case "fail":
      throw new Error(text)
    case "soft":
      return { content: [{ type: "text" as const, text }], isError: true }
    case "big":
      return `${text}${" and so on".repeat(400)}`
    case "blank":
      return { content: [] }
    case "picture":
      return { content: [{ type: "image" as const, mediaType: "image/png", data: PIXEL }] }
    case "hang":
      await world.gate(signal)
      return text
    case "deaf":
      await world.gate()
      return text
    default:
      return { said: text, half: "\ud800" } satisfies JsonObject
  }
}
