import { Namespace, type Runtime, readHistory } from "@orra/core"
import { compare, naiveHistory, naiveQueue } from "./checks.ts"
import { delegationProblem, type LoggedSession, untoldProblem } from "./delegations.ts"
import type { FuzzedExecution } from "./fixture.ts"
import { logProblem } from "./log-problem.ts"
import type { RecordingStore } from "./recording-store.ts"
import { DELEGATING } from "./steps.ts"

/** The session that sequences happen to. */
export const NS = Namespace.of("fuzz", "session")

/** What is compared when everything has come to rest. */
export interface Rest {
  readonly runtime: Runtime
  readonly store: RecordingStore
  readonly executions: readonly FuzzedExecution[]
  /** The messages that were accepted, with the number of deletions before each: what was deleted is gone. */
  readonly accepted: ReadonlyMap<string, number>
}

/** Who waits for a task is told when it ends. */
export async function untoldProblems(store: RecordingStore): Promise<readonly string[]> {
  const sessions = store.sessions().map(async (namespace) => {
    return { namespace, entries: await store.read(namespace, { limit: 100_000 }) }
  })
  const problem = untoldProblem(await Promise.all(sessions))
  return problem === undefined ? [] : [problem]
}

/** What is wrong with the logs, and with what is shown of them. */
export async function restProblems({
  runtime,
  store,
  executions,
  accepted,
}: Rest): Promise<readonly string[]> {
  const problems: string[] = []
  const sessions: LoggedSession[] = []
  for (const namespace of store.sessions()) {
    const entries = await store.read(namespace, { limit: 100_000 })
    sessions.push({ namespace, entries })
    const written = store.written(namespace)
    const info = await store.info(namespace)
    const runs = new Set(written.map((entry) => ("runId" in entry ? entry.runId : undefined)))
    const ran = executions.filter(
      ({ session, runId }) =>
        // What ran in a session that was deleted is in no log.
        session === namespace.key && (runs.has(runId) || store.deletions === 0),
    )
    const problem = logProblem({ info, entries, written, executions: ran, elsewhere: DELEGATING })
    if (problem) problems.push(namespace.equals(NS) ? problem : `In ${namespace.key}: ${problem}`)
  }
  const between = delegationProblem(sessions, store.deletions === 0)
  if (between) problems.push(between)
  const entries = sessions.find(({ namespace }) => namespace.equals(NS))?.entries ?? []
  const inputs = new Set(entries.map((entry) => ("inputId" in entry ? entry.inputId : undefined)))
  for (const [inputId, deletions] of accepted) {
    if (deletions === store.deletions && !inputs.has(inputId))
      problems.push(`The message ${inputId} was accepted and is not in the log.`)
  }
  const history = await readHistory(runtime, NS, { limit: 1_000 })
  const shown = naiveHistory(store.written(NS), entries)
  compare("history", history?.entries ?? [], shown, problems)
  compare("queue", history?.queued ?? [], naiveQueue(entries), problems)
  const middle = shown[Math.floor(shown.length / 2)]
  if (middle) {
    const window = await readHistory(runtime, NS, { before: middle.seq, limit: 3 })
    const expected = shown.slice(0, shown.indexOf(middle)).slice(-3)
    compare("window", window?.entries ?? [], expected, problems)
  }
  return problems
}
