import type { Namespace } from "./namespace.ts"
import type { Decision, PolicyRegistry, Verdict } from "./policy.ts"
import type { Entry } from "./session.ts"
import type { SessionStore } from "./store.ts"
import type { ToolRegistry } from "./tool.ts"

/** A recorded call that the policies would decide otherwise. */
export interface ChangedVerdict {
  /** The number of the `tool_intent` entry, with what it holds of the call. */
  readonly seq: number
  readonly callId: string
  readonly tool: string
  readonly arguments: Entry<"tool_intent">["arguments"]
  /** What was decided then, and why: a hook may have refused what policy alone allows. */
  readonly before: Decision
  readonly reason: string
  readonly after: Verdict
}

/**
 * What the policies would say to the calls of a recorded session, at the time of each call and knowing of the tools
 * what `tools` says: the calls whose decision changes, in their order. Nothing is executed and nothing is written. A
 * tool that is not among `tools` is denied, like in a run; a call whose arguments were no JSON object is passed over.
 * Abandoned branches are replayed as well: their calls were made.
 *
 * ```ts
 * const changed = await simulate(stricter, namespace, runtime.store, runtime.tools)
 * for (const { tool, before, after } of changed) console.log(tool, before, "->", after.decision, after.rule)
 * ```
 */
export async function simulate(
  policies: PolicyRegistry,
  namespace: Namespace,
  session: SessionStore | Iterable<Entry>,
  tools: ToolRegistry,
): Promise<readonly ChangedVerdict[]> {
  const changed: ChangedVerdict[] = []
  const entries = Symbol.iterator in session ? session : intents(session, namespace)
  for await (const entry of entries) {
    if (entry.type !== "tool_intent" || entry.reason === INVALID_ARGUMENTS) continue
    // That of a call that has waited was made before, when it was asked about.
    if (entry.approval?.approvalId !== undefined) continue
    const before = entry.approval ? "ask" : entry.decision
    const tool = tools.get(entry.name)
    const after: Verdict = tool
      ? await policies.decide(namespace, {
          tool: entry.name,
          risk: tool.risk,
          arguments: entry.arguments,
          tainted: entry.tainted ?? false,
          at: entry.at,
        })
      : { decision: "deny", layer: "runtime", rule: `there is no tool "${entry.name}"` }
    if (after.decision === before) continue
    changed.push({
      seq: entry.seq,
      callId: entry.callId,
      tool: entry.name,
      arguments: entry.arguments,
      before,
      reason: entry.reason,
      after,
    })
  }
  return changed
}

const INVALID_ARGUMENTS = "runtime: the arguments are not a JSON object"

async function* intents(store: SessionStore, namespace: Namespace): AsyncGenerator<Entry> {
  for (let after = 0; ; ) {
    const page = await store.read(namespace, { types: ["tool_intent"], after })
    yield* page
    const last = page.at(-1)
    if (!last) return
    after = last.seq
  }
}
