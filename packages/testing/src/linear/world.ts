import { setTimeout } from "node:timers/promises"
import {
  type ModelRequest,
  messageText,
  Namespace,
  type Provider,
  randomId,
  type Tool,
  type ToolStatus,
  tool,
} from "@orra/core"
import { call, type ScriptedAnswer, say, scriptedProvider, wait } from "../scripted-provider.ts"
import type { HistoryEvent } from "./history.ts"

/** All sessions of a trial are below it. */
export const ROOT = Namespace.of("trial")

export const sessionOf = (index: number): Namespace => ROOT.child(`${index}`)

/** `keep` may be done again under the same key, `post` may not, and `pay` only when somebody approves. */
export const TOOLS = ["keep", "post", "pay"] as const
export type ToolName = (typeof TOOLS)[number]

/** Longest pause of a model and of a tool: time in which a process can die. */
const PAUSE_MS = 15
/** And of a tool that has done what it does and not yet said so: a process killed then leaves what nobody knows. */
const UNSAID_MS = 60

/** A message that says what it is and which tools its answer takes: "c1-3: keep post". */
export const messageOf = (inputId: string, tools: readonly ToolName[]): string =>
  `${inputId}: ${tools.join(" ")}`

/** What such a message asks for: each thing has a name that no other has. */
function wishes(text: string): readonly (readonly [tool: string, what: string])[] {
  const [, inputId, tools = ""] = /^([\w-]+): (.*)$/.exec(text) ?? []
  return inputId === undefined
    ? []
    : tools
        .split(" ")
        .filter(Boolean)
        .map((name, index) => [name, `${inputId}.${index}`])
}

/** The message that asked for a thing. */
export const askedBy = (what: string): string => what.slice(0, what.lastIndexOf("."))

/**
 * A model that does what it is asked for, and says whom it answers. It asks again for a call that did not begin, and
 * for nothing else twice. No two answers are the same.
 */
export function worldProvider(write: (event: HistoryEvent) => void): Provider {
  const answer = ({ messages }: ModelRequest): ScriptedAnswer => {
    const asked = new Map<string, string>()
    const settled = new Map<string, ToolStatus>()
    const wanted: (readonly [tool: string, what: string])[] = []
    const people: string[] = []
    for (const message of messages) {
      if (message.role === "user" && message.origin === undefined) {
        const text = messageText(message)
        people.push(text.slice(0, text.indexOf(":")))
        wanted.push(...wishes(text))
      }
      for (const part of message.parts) {
        if (part.type === "tool_call") asked.set(part.id, String(part.arguments["what"]))
        else if (part.type === "tool_result") settled.set(asked.get(part.callId) ?? "", part.status)
      }
    }
    const left = wanted.filter(([name, what]) => {
      const status = settled.get(what)
      return status === undefined || (status === "cancelled" && name !== "keep")
    })
    const id = randomId()
    const text = left.length > 0 ? `${id} goes on` : `${id} answers ${people.join(" ")}`
    write({ type: "said", text })
    return [
      say(text.slice(0, 3)),
      wait(setTimeout(Math.random() * PAUSE_MS)),
      say(text.slice(3, 9), text.slice(9)),
      ...left.slice(0, 3).map(([name, what], index) => call(name, { what }, `${id}-${index}`)),
    ]
  }
  return scriptedProvider([], { otherwise: answer })
}

export const worldTools = (write: (event: HistoryEvent) => void): readonly Tool[] =>
  TOOLS.map((name) => {
    const idempotent = name === "keep"
    return tool<{ what: string }>({
      name,
      description: `${name} something.`,
      input: { type: "object", properties: { what: { type: "string" } }, required: ["what"] },
      risk: "write",
      idempotent,
      async execute({ what }, { namespace, runId, callId, idempotencyKey: key }) {
        await setTimeout(Math.random() * PAUSE_MS)
        write({ type: "effect", session: namespace.key, tool: name, what, runId, callId, key, idempotent })
        await setTimeout(Math.random() * UNSAID_MS)
        return `${name}: ${what}`
      },
    })
  })
