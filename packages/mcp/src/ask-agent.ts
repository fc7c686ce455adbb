import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ServerContext,
} from "@modelcontextprotocol/server"
import {
  type Entry,
  InvalidInput,
  isEntry,
  type JsonObject,
  messageText,
  type Namespace,
  type PendingApproval,
  type RunEvent,
  type Runtime,
  randomId,
  SessionBusy,
} from "@orra/core"
import type { AgentTool, Caller } from "./expose.ts"

/** Where a call stands while the person at the client decides. The client carries it, sealed. */
export interface AskState {
  readonly session: string
  readonly runId: string
  /** The last entry that was seen. */
  readonly cursor: number
}

/** One call of an agent's tool. */
export interface Asking {
  readonly runtime: Runtime
  readonly caller: Caller
  readonly agent: AgentTool
  readonly context: ServerContext
  readonly progress: (message: string) => void
  /** The person at the client may decide, and can be asked. */
  readonly canAsk: boolean
  readonly seal: (state: AskState) => Promise<string>
  /** What an earlier part of this call left. */
  readonly state: AskState | undefined
}

/** How far a run has come. */
interface Watched {
  readonly cursor: number
  readonly runId: string
  readonly text: string
  readonly end?: Entry<"run_finished">
}

const SESSION = /^[\w-]{1,64}$/

/** Sends the message, or goes on with one whose decisions have come, and answers with what the agent says. */
export async function askAgent(
  asking: Asking,
  input: JsonObject,
): Promise<CallToolResult | InputRequiredResult> {
  const { runtime, caller, agent, context, progress, state } = asking
  const { signal } = context.mcpReq
  const session = state?.session ?? sessionOf(input)
  const namespace = caller.namespace.child(session)
  if (state) {
    await decide(asking, namespace, state.runId)
    const undecided = await pendingOf(asking, namespace, state.runId)
    if (undecided.length > 0) return waiting(session, undecided)
    const stop = (): void => void runtime.stop(namespace)
    signal.addEventListener("abort", stop, { once: true })
    const events = runtime.subscribe(namespace, { after: state.cursor, signal })
    const watched = await watch(events, progress, state).finally(() =>
      signal.removeEventListener("abort", stop),
    )
    return await answer(asking, session, namespace, watched)
  }
  const { message } = input
  if (typeof message !== "string") throw new InvalidInput('"message" must be text.')
  if ((await runtime.info(namespace))?.waiting)
    throw new SessionBusy("This session waits for a decision: nothing was sent.")
  const events = runtime.stream(namespace, message, {
    signal,
    ...(caller.principal !== undefined && { principal: caller.principal }),
    ...(agent.agent !== undefined && { agent: agent.agent }),
  })
  return await answer(asking, session, namespace, await watch(events, progress, { cursor: 0, runId: "" }))
}

function sessionOf({ session }: JsonObject): string {
  if (session === undefined) return `mcp-${randomId()}`
  if (typeof session === "string" && SESSION.test(session)) return session
  throw new InvalidInput(
    '"session" is a name that an earlier answer gave: letters, digits, "_" and "-", at most 64.',
  )
}

async function watch(
  events: AsyncIterable<RunEvent>,
  progress: (message: string) => void,
  { cursor, runId }: Pick<AskState, "cursor" | "runId">,
): Promise<Watched> {
  let seen: Watched = { cursor, runId, text: "" }
  for await (const event of events) {
    if (isEntry(event)) seen = { ...seen, cursor: event.seq }
    if (event.type === "run_started") seen = { ...seen, runId: event.runId }
    if (event.type === "assistant") seen = { ...seen, text: messageText(event.message) }
    if (event.type === "progress") progress(event.text.trimEnd())
    if (event.type === "tool_intent" && event.decision === "allow") progress(`Uses ${event.name}.`)
    if (event.type === "run_finished" && event.runId === seen.runId) return { ...seen, end: event }
    if (event.type === "run_waiting" && event.runId === seen.runId) return seen
  }
  return seen
}

async function answer(
  asking: Asking,
  session: string,
  namespace: Namespace,
  { cursor, runId, text, end }: Watched,
): Promise<CallToolResult | InputRequiredResult> {
  const { canAsk, seal } = asking
  if (end) {
    const { outcome, error } = end
    const isError = outcome !== "completed"
    const said = isError ? (error?.message ?? `The run ended: ${outcome}.`) : text
    return {
      content: [{ type: "text", text: said }],
      structuredContent: { session, outcome },
      ...(isError && { isError }),
    }
  }
  const pending = await pendingOf(asking, namespace, runId)
  if (canAsk && pending.length > 0) {
    return inputRequired({
      inputRequests: Object.fromEntries(pending.map((each) => [each.approvalId, question(each)])),
      requestState: await seal({ session, runId, cursor }),
    })
  }
  return waiting(session, pending)
}

function waiting(session: string, pending: readonly PendingApproval[]): CallToolResult {
  const what = pending.map(({ tool }) => `"${tool}"`).join(", ") || "something to happen"
  const text = `This waits for a decision elsewhere: ${what}. How it went on is in the session ${session}.`
  return { content: [{ type: "text", text }], structuredContent: { session, outcome: "waiting" } }
}

const question = ({ tool, arguments: input, reason }: PendingApproval) =>
  inputRequired.elicit({
    message: `The agent wants to use "${tool}" (${reason}) with ${JSON.stringify(input).slice(0, 2_000).toWellFormed()}`,
    requestedSchema: {
      type: "object",
      properties: { approve: { type: "boolean", title: "Allow it" } },
      required: ["approve"],
    },
  })

const pendingOf = async (
  { runtime }: Asking,
  namespace: Namespace,
  runId: string,
): Promise<readonly PendingApproval[]> =>
  ((await runtime.approvals?.list(namespace)) ?? []).filter((each) => each.runId === runId)

/** What the person at the client has decided; what they closed without a decision waits on. */
async function decide(asking: Asking, namespace: Namespace, runId: string): Promise<void> {
  const { runtime, caller, canAsk, context } = asking
  if (!canAsk) throw new InvalidInput("Nobody here may decide about this.")
  for (const { approvalId } of await pendingOf(asking, namespace, runId)) {
    const given = inputResponse(context.mcpReq.inputResponses, approvalId)
    if (given.kind !== "elicit" || given.action === "cancel") continue
    const decision = given.action === "accept" && given.content?.["approve"] === true ? "approve" : "deny"
    await runtime.approvals?.decide(namespace, approvalId, {
      decision,
      by: caller.principal ?? caller.namespace.key,
    })
  }
}
