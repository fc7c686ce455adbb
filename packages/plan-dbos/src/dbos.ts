import { DBOS, StatusString } from "@dbos-inc/dbos-sdk"
import { InvalidInput, type Json, Namespace, OrraError, type Page, randomId } from "@orra/core"
import type { Durability, Durable, DurableHost, DurableInfo } from "@orra/plan-engine"
import { DbosRun } from "./dbos-run.ts"
import { Engines } from "./engines.ts"

export interface DbosOptions {
  /** The PostgreSQL where DBOS keeps its tables, as `postgres://user:password@host/database`. */
  readonly url: string
  /** How long the runs of an engine stay its own when nothing is heard of it, in ms, default 10,000; it says so three times as often. */
  readonly leaseMs?: number
}

/**
 * Durable workflows on DBOS and PostgreSQL, over as many processes as wanted: each carries out what it has begun, and goes on with
 * what a dead one leaves. A process has one of them: DBOS is there once in it.
 *
 * ```ts
 * const url = "postgres://orra@localhost/plans"
 * const store = await postgresStore({ url })
 * const engine = createPlanEngine({ store, provider, durable: dbos({ url }) })
 * ```
 *
 * @throws OrraError (`open`) `plan_dbos_open` when this process has one already.
 */
export const dbos =
  ({ url, leaseMs = 10_000 }: DbosOptions): Durability =>
  (host) =>
    new DbosDurable(host, url, leaseMs)

const APPLICATION = "orra-plan"
const WORKFLOW = "orra"
/** How many runs are listed or removed at a time. */
const AT_ONCE = 500

type CarryOut = (workflow: string, key: string, input: Json) => Promise<Json>

class DbosDurable implements Durable {
  readonly #host: DurableHost
  readonly #url: string
  readonly #leaseMs: number
  readonly #id = randomId()
  readonly #engines: Engines
  readonly #active = new Map<string, DbosRun>()
  readonly #stop = new AbortController()
  #registered: CarryOut | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()

  constructor(host: DurableHost, url: string, leaseMs: number) {
    this.#host = host
    this.#url = url
    this.#leaseMs = leaseMs
    this.#engines = new Engines(url, this.#id, leaseMs, host.onError)
  }

  async open(): Promise<void> {
    if (DBOS.isInitialized())
      throw new OrraError("plan_dbos_open", "This process has DBOS open already: start another process.")
    this.#registered = DBOS.registerWorkflow<unknown, [string, string, Json], Json>(
      (workflow, key, input) => this.#carryOut(workflow, key, input),
      { name: WORKFLOW },
    )
    const { onError } = this.#host
    DBOS.setConfig({
      name: APPLICATION,
      systemDatabaseUrl: this.#url,
      executorID: this.#id,
      // All engines carry out each other's runs, whatever their version.
      applicationVersion: "1",
      logger: {
        info: () => {},
        debug: () => {},
        warn: () => {},
        error: (_, more) => onError(more?.error ?? _),
      },
    })
    await this.#engines.join(() => DBOS.launch())
    await this.#takeOver()
    this.#beatLater()
  }

  async start(workflow: string, run: Namespace, input: Json): Promise<void> {
    await this.#begin(workflow, run, input)
  }

  async signal(run: Namespace, topic: string, value: Json): Promise<void> {
    if ((await DBOS.getWorkflowStatus(run.key)) === null) return
    await DBOS.send(run.key, { value }, topic)
  }

  async cancel(run: Namespace): Promise<void> {
    await this.#engines.cancel(run)
    await this.#lookForCancelled()
  }

  async list(
    prefix: Namespace,
    { limit = 50, cursor = "0" }: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<Page<DurableInfo>> {
    if (!/^\d{1,9}$/.test(cursor))
      throw new InvalidInput("This is not a cursor of this list: start again without one.")
    const offset = Number(cursor)
    const found = await DBOS.listWorkflows({
      workflowName: WORKFLOW,
      workflow_id_prefix: prefix.key,
      status: [StatusString.PENDING, StatusString.ENQUEUED],
      limit,
      offset,
    })
    const runs = found.flatMap(({ workflowID, input }) => {
      const namespace = Namespace.parse(workflowID)
      return prefix.contains(namespace) ? [{ namespace, workflow: String(input?.[0]) }] : []
    })
    const cancelled = new Set(await this.#engines.cancelled(runs))
    const items = runs.map((run) => ({ ...run, isCancelled: cancelled.has(run) }))
    return { items, ...(found.length === limit && { cursor: String(offset + limit) }) }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#beating
    this.#stopAll()
    await DBOS.shutdown({ deregister: true })
    await this.#engines.leave()
  }

  #begin(workflow: string, at: Namespace, input: Json) {
    if (!this.#registered) throw new OrraError("plan_dbos_closed", "DBOS is not open yet: call open() first.")
    return DBOS.startWorkflow(this.#registered, { workflowID: at.key })(workflow, at.key, input)
  }

  async #carryOut(name: string, key: string, input: Json): Promise<Json> {
    const run = new DbosRun(this.#host, Namespace.parse(key), (...child) => this.#begin(...child))
    this.#active.set(key, run)
    try {
      const workflow = this.#host.workflows[name]
      if (!workflow) throw new OrraError("plan_workflow_unknown", `This engine knows no workflow ${name}.`)
      const [isCancelled] = await this.#engines.cancelled([run])
      if (isCancelled) run.cancel()
      return await workflow(run, input)
    } catch (error) {
      if (!run.signal.aborted) this.#host.onError(error)
    } finally {
      if (this.#active.get(key) === run) this.#active.delete(key)
    }
    // DBOS keeps that a workflow has failed. This one goes on in the next process, so it does not end here.
    return await new Promise(() => {})
  }

  #beatLater(): void {
    if (this.#stop.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat()
        .catch(this.#host.onError)
        .finally(() => this.#beatLater())
    }, this.#leaseMs / 3)
  }

  async #beat(): Promise<void> {
    // Others have taken its runs by now.
    if (!(await this.#engines.beat())) this.#stopAll()
    await this.#lookForCancelled()
    await this.#takeOver()
    await this.#removeEnded()
  }

  async #lookForCancelled(): Promise<void> {
    if (this.#active.size === 0) return
    for (const run of await this.#engines.cancelled([...this.#active.values()])) run.cancel()
  }

  /** What a dead engine was at becomes what DBOS's own queue holds, from which every engine takes once a second. */
  async #takeOver(): Promise<void> {
    await this.#engines.takeOver(async (executorId) => {
      for (;;) {
        const left = await DBOS.listWorkflows({
          workflowName: WORKFLOW,
          executorId,
          status: StatusString.PENDING,
          limit: AT_ONCE,
          loadInput: false,
        })
        if (left.length > 0) await DBOS.resumeWorkflows(left.map(({ workflowID }) => workflowID))
        if (left.length < AT_ONCE) return
      }
    })
  }

  /** What a plan did is in its own log; DBOS's is only for those that go on. */
  async #removeEnded(): Promise<void> {
    for (;;) {
      const ended = await DBOS.listWorkflows({
        workflowName: WORKFLOW,
        status: StatusString.SUCCESS,
        hasParent: false,
        limit: AT_ONCE,
        loadInput: false,
        loadOutput: false,
      })
      const ids = ended.map(({ workflowID }) => workflowID)
      await DBOS.deleteWorkflows(ids, true)
      await this.#engines.forget(ids)
      if (ids.length < AT_ONCE) return
    }
  }

  #stopAll(): void {
    const reason = new OrraError("plan_engine_stopped", "This engine stops: another one goes on.")
    for (const run of this.#active.values()) run.stop(reason)
  }
}
