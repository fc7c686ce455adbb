import type { Entry, SessionStore, ToolStatus } from "@orra/core"
import { logProblem } from "../fuzz/log-problem.ts"
import { type RecordingStore, recordingStore, type Written } from "../fuzz/recording-store.ts"
import { book, chargedTwice, SESSION, type World, world } from "./booking.ts"
import { mortal, type Point } from "./mortal.ts"

/** Where sessions are kept while processes die. */
export interface Durable {
  /** A store for a process that begins: on a file, one that opens it anew. */
  open(): Promise<SessionStore>
  /** Gives everything back. */
  done(): Promise<void>
}

/** What a process that died at a point left behind, and what the next one made of it. */
export interface MatrixRow {
  readonly point: Point
  /** How the last run is recorded once the next process has closed it; "no session" when nothing was durable. */
  readonly outcome: string
  /** By call: what its result says when the log was closed, and how often it had run by then. */
  readonly calls: readonly {
    readonly call: string
    readonly status: ToolStatus
    readonly executions: number
  }[]
  /** What is wrong, if anything. */
  readonly problem: string | undefined
}

export interface MatrixOptions {
  /** Which of the points to die at, from their number; default all. */
  readonly only?: (number: number) => boolean
  /** The next process goes on with what it finds instead of closing it. Default false. */
  readonly resume?: boolean
}

/**
 * Runs one scenario, two tool steps with parallel calls and one that is approved while the run waits, one message
 * that steers and one that is queued, and kills the
 * process at every asynchronous call it makes, before the call took effect and after. Each time another process
 * opens the same store and finishes the work. The points are found by running, so a new call is covered by itself.
 *
 * ```ts
 * const rows = await crashMatrix(async () => {
 *   const store = new MemoryStore()
 *   return { open: async () => store, done: () => store.close() }
 * })
 * for (const row of rows) if (row.problem) console.error(row.point, row.problem)
 * ```
 *
 * @throws when the scenario does not end without a crash.
 */
export async function crashMatrix(
  make: () => Promise<Durable>,
  options: MatrixOptions = {},
): Promise<readonly MatrixRow[]> {
  const whole = await lives(make, [])
  if (whole.problem) throw new Error(`Without a crash: ${whole.problem}`)
  const rows: MatrixRow[] = []
  for (let number = 1; ; number++) {
    if (options.only && !options.only(number) && number <= whole.points) continue
    const result = await lives(make, [number], options.resume)
    const [death] = result.deaths
    // Past the last point nobody dies any more: the matrix is complete.
    if (!death) return rows
    rows.push({ point: death, outcome: result.outcome, calls: result.calls, problem: result.problem })
  }
}

interface Lives {
  readonly points: number
  readonly deaths: readonly Point[]
  readonly outcome: string
  readonly calls: MatrixRow["calls"]
  readonly problem: string | undefined
}

/** One process after the other in one store: each dies at its point, the last one ends by itself. */
export async function lives(
  make: () => Promise<Durable>,
  dieAt: readonly number[],
  resume = false,
): Promise<Lives> {
  const durable = await make()
  const logs: Written = new Map()
  const seen = world()
  const deaths: Point[] = []
  let points = 0
  let left: Pick<Lives, "outcome" | "calls"> = { outcome: "", calls: [] }
  let problem: string | undefined
  try {
    for (const number of [...dieAt, undefined]) {
      const life = mortal({ trace: true, ...(number !== undefined && { dieAt: number }) })
      const store = recordingStore(await durable.open(), logs)
      const check = async (when: string): Promise<void> => {
        const found = await problemOf(store, seen)
        if (found) problem ??= `${when}: ${found}`
      }
      const recovered = async (): Promise<void> => {
        if (deaths.length === 0) return
        left = await leftBehind(store, seen)
        await check("After the crash")
      }
      const whole = book(life, store, seen, recovered, resume && deaths.length > 0)
      const failed = whole.then(
        () => undefined,
        (error: unknown) => (life.dead ? undefined : error),
      )
      const end = await Promise.race([life.death, failed.then((error) => ({ error }))])
      life.bury()
      points = life.points.length
      if ("call" in end) {
        deaths.push(end)
        continue
      }
      if (end.error !== undefined) problem ??= `Process ${deaths.length + 1} failed: ${end.error}`
      await check("At the end")
      break
    }
    return { points, deaths, ...left, problem }
  } finally {
    await durable.done()
  }
}

async function problemOf(store: RecordingStore, seen: World): Promise<string | undefined> {
  const entries = await store.read(SESSION)
  const written = store.written(SESSION)
  const inputs = new Set(entries.map((entry) => ("inputId" in entry ? entry.inputId : undefined)))
  const lost = [...seen.acknowledged].find((inputId) => !inputs.has(inputId))
  if (lost) return `The message "${lost}" was accepted and is not in the log.`
  const charged = chargedTwice(seen)
  if (charged) return `The ${charged} was paid twice.`
  return (
    logProblem({ info: await store.info(SESSION), entries, written, executions: seen.executions }) ??
    shownProblem(entries, written, seen)
  )
}

/** What a person saw is still there: as it was, or in the message that a draft became part of. */
function shownProblem(
  entries: readonly Entry[],
  written: readonly Entry[],
  { shown }: World,
): string | undefined {
  const kept = new Set(entries.map(({ seq }) => seq))
  for (const seq of shown) {
    const entry = written[seq - 1]
    if (kept.has(seq)) continue
    if (entry?.type !== "delta") return `Entry ${seq} was shown and is not in the log.`
    const message = entries.find((other) => other.type === "assistant" && other.messageId === entry.messageId)
    const text = JSON.stringify(message)
    const lost = entry.pieces.find((piece) => piece.type !== "tool_call" && !text?.includes(piece.text))
    if (lost) return `"${lost.text}" was shown and is not in the answer.`
  }
  return undefined
}

/** How the log was closed. */
async function leftBehind(
  store: SessionStore,
  { executions }: World,
): Promise<Pick<Lives, "outcome" | "calls">> {
  const entries = await store.read(SESSION)
  if (entries.length === 0) return { outcome: "no session", calls: [] }
  const end = entries.findLast((entry) => entry.type === "run_finished")
  const calls = entries.flatMap((entry) => {
    if (entry.type !== "tool_result") return []
    const intent = entries.find((other) => other.type === "tool_intent" && other.callId === entry.callId)
    const { status, name } = entry.result
    const what = intent?.type === "tool_intent" ? ` ${String(intent.arguments["what"])}` : ""
    const key = intent?.type === "tool_intent" ? intent.idempotencyKey : undefined
    return [
      {
        call: name + what,
        status,
        executions: executions.filter(({ idempotencyKey }) => idempotencyKey === key).length,
      },
    ]
  })
  const isWaiting = (await store.info(SESSION))?.waiting !== undefined
  return { outcome: isWaiting ? "waiting" : (end?.outcome ?? "no run"), calls }
}
