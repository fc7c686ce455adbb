import { InvalidInput, type Namespace, PENDING, type Runtime, readHistory, type Tool, tool } from "@orra/core"
import { HttpError, ownNamespace, type Route } from "@orra/gateway"
import { jsonRoutes } from "../api/json-route.ts"
import type { ToolFamily } from "./tools.ts"

const MAX_OPTIONS = 12
const MAX_ANSWERS = MAX_OPTIONS + 1
const MAX_ANSWER = 4_000
/** Entries of a chat in which a question that is open is looked for: it is among the newest. */
const LOOKED_AT = 500

interface Question {
  readonly question: string
  readonly options?: readonly string[]
  readonly multiple?: boolean
}

/** What a person said to a question; null when they would not say. */
type Answer = readonly string[] | null

/**
 * Questions to the person in the page, as cards. The run waits and holds nothing; the question is in the chat's log, so it
 * is still there after a restart. An answer is on its way for a moment only: it is the call's result, which is logged.
 */
export function heraldQuestions(isInPage: (session: Namespace) => boolean): ToolFamily {
  const given = new Map<string, Answer>()
  return { tools: [askUser(given, isInPage)], routes: [answerRoute(given)] }
}

const keyOf = (session: Namespace, runId: string, callId: string): string =>
  JSON.stringify([session.key, runId, callId])

const askUser = (given: Map<string, Answer>, isInPage: (session: Namespace) => boolean): Tool =>
  tool<Question>({
    name: "ask_user",
    description:
      "Asks the person a question and waits for the answer. For a choice that is theirs and that you cannot find out or sensibly assume; not for permission, and not for small talk. They can always answer in their own words.",
    input: {
      type: "object",
      properties: {
        question: { type: "string", description: "One question, in a sentence or two.", maxLength: 1_000 },
        options: {
          type: "array",
          description: "What they can choose from, in a few words each. None: they write.",
          items: { type: "string", maxLength: 200 },
          maxItems: MAX_OPTIONS,
        },
        multiple: { type: "boolean", description: "They may choose several. Default false." },
      },
      required: ["question"],
      additionalProperties: false,
    },
    risk: "read",
    execute(_, { namespace, runId, callId, envelope }) {
      if (envelope || !isInPage(namespace))
        throw new InvalidInput(
          "Nobody can be asked from here: end your answer with the question, or say what you have assumed.",
        )
      const key = keyOf(namespace, runId, callId)
      const answer = given.get(key)
      if (answer === undefined) return PENDING
      given.delete(key)
      const text = answer
        ? `The person's answer: ${answer.map((each) => JSON.stringify(each)).join(", ")}`
        : "The person does not want to answer. Go on as seems best, and say what you have assumed."
      return { content: [{ type: "text", text }], structured: { answer: answer && [...answer] } }
    },
  })

/** What somebody says to a question in their own chat; documented in docs/herald/api.md. */
const answerRoute = (given: Map<string, Answer>): Route =>
  jsonRoutes((error) => error)(
    "POST",
    "/api/sessions/:namespace/answers",
    async ({ runtime, principal, params, body }) => {
      const namespace = ownNamespace(principal, params["namespace"])
      const { run, call, answer: said } = await body()
      const answer = answerIn(said)
      if (
        typeof run !== "string" ||
        typeof call !== "string" ||
        !(await openQuestions(runtime, namespace, run)).includes(call)
      )
        throw new HttpError(404, "not_found", "There is no such question, or it has been answered.")
      const key = keyOf(namespace, run, call)
      given.set(key, answer)
      // Of a run that was stopped a moment ago.
      if (!(await runtime.wake(namespace))) given.delete(key)
      return { answered: true }
    },
  )

function answerIn(said: unknown): Answer {
  if (said === null) return null
  const isAnswer = (each: unknown): each is string =>
    typeof each === "string" && each.trim() !== "" && each.length <= MAX_ANSWER
  if (!Array.isArray(said) || said.length === 0 || said.length > MAX_ANSWERS || !said.every(isAnswer))
    throw new InvalidInput(
      `"answer" is a list of 1 to ${MAX_ANSWERS} texts of at most ${MAX_ANSWER} characters, or null for none.`,
    )
  return said.map((each) => each.trim().toWellFormed())
}

/** The calls by which a run waits for what somebody says. */
export async function openQuestions(
  runtime: Runtime,
  namespace: Namespace,
  run: string,
): Promise<readonly string[]> {
  const history = await readHistory(runtime, namespace, { limit: LOOKED_AT })
  if (history?.info.openRun !== run) return []
  const open = new Set<string>()
  for (const entry of history.entries) {
    if (entry.type === "tool_intent" && entry.runId === run) {
      if (entry.name === "ask_user" && entry.decision === "allow") open.add(entry.callId)
      else open.delete(entry.callId)
    } else if (entry.type === "tool_result" && entry.runId === run) open.delete(entry.callId)
  }
  return [...open]
}
