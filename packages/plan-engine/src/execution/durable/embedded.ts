import {
  everyItem,
  type Json,
  type Lease,
  LeaseLost,
  type Namespace,
  OrraError,
  type Page,
  type Records,
  randomId,
  type StoredRecord,
  VersionConflict,
} from "@orra/core"
import type { Durability, Durable, DurableHost, DurableInfo } from "./durable.ts"
import { childKey, EmbeddedRun, signalKey } from "./embedded-run.ts"

export interface EmbeddedOptions {
  /** How long the runs of an engine stay its own when nothing is heard of it, in ms, default 10,000; it says so three times as often. */
  readonly leaseMs?: number
}

/** A run as it is kept until it has ended. */
interface Kept {
  readonly workflow: string
  readonly input: Json
  /** The engine that carries it out. */
  readonly owner: string
  /** Whether the run above waits for it. */
  readonly isChild?: true
  readonly isCancelled?: true
  /** Nothing is left to be done, but what it kept may still be there. */
  readonly isOver?: true
}

const RUN = "run"
const POKE = "poke"

/**
 * Durable workflows in the store of the engine, with nothing beside it. Each engine holds a lease; when it is not renewed,
 * another engine on the same store goes on with its runs. With SQLite that is the next process, with PostgreSQL any other.
 *
 * ```ts
 * const engine = createPlanEngine({ store, provider, durable: embedded({ leaseMs: 5_000 }) })
 * ```
 */
export const embedded =
  ({ leaseMs = 10_000 }: EmbeddedOptions = {}): Durability =>
  (host) =>
    new Embedded(host, leaseMs)

class Embedded implements Durable {
  readonly #host: DurableHost
  readonly #leaseMs: number
  readonly #runs: Records
  readonly #engines: Records
  readonly #pokes: Records
  readonly #steps: Records
  readonly #signals: Records
  readonly #active = new Map<string, { readonly run: EmbeddedRun; readonly ended: Promise<void> }>()
  readonly #stop = new AbortController()
  #owner = randomId()
  #lease: Lease | undefined
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()

  constructor(host: DurableHost, leaseMs: number) {
    const { store } = host
    this.#host = host
    this.#leaseMs = leaseMs
    this.#runs = store.records("durable-runs")
    this.#engines = store.records("durable-engines")
    this.#pokes = store.records("durable-pokes")
    this.#steps = store.records("durable-steps")
    this.#signals = store.records("durable-signals")
  }

  async open(): Promise<void> {
    await this.#register()
    await this.#takeOver()
    this.#beatLater()
  }

  async start(workflow: string, run: Namespace, input: Json): Promise<void> {
    await this.#start(run, { workflow, input, owner: this.#owner })
  }

  async signal(run: Namespace, topic: string, value: Json): Promise<void> {
    for (;;) {
      if (!(await this.#runs.get(run, RUN))) return
      const last = await this.#signals.get(run, `last ${topic}`)
      const place = Number(last?.value ?? 0) + 1
      try {
        await this.#signals.write([
          { namespace: run, key: `last ${topic}`, value: place, expected: last?.version ?? 0 },
          { namespace: run, key: signalKey(topic, place), value, expected: 0 },
        ])
        return await this.#poke(run)
      } catch (error) {
        // Somebody else told it something.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async cancel(run: Namespace): Promise<void> {
    for await (const { namespace } of everyItem((page) => this.#runs.list(run, { ...page, below: true })))
      if (await this.#change(namespace, (kept) => ({ ...kept, isCancelled: true })))
        await this.#poke(namespace)
  }

  async list(
    prefix: Namespace,
    page: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<Page<DurableInfo>> {
    const found = await this.#runs.list(prefix, { ...page, below: true })
    const items = found.items.map(({ namespace, value }) => {
      const { workflow, isCancelled = false } = keptIn(value)
      return { namespace, workflow, isCancelled }
    })
    return { ...found, items }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#beating
    await this.#stopAll()
    if (this.#lease) await this.#host.store.release(this.#lease).catch(this.#host.onError)
  }

  async #start(namespace: Namespace, kept: Kept): Promise<void> {
    try {
      await this.#runs.put(namespace, RUN, { ...kept }, { expected: 0 })
    } catch (error) {
      if (error instanceof VersionConflict) return
      throw error
    }
    this.#carryOut(namespace, kept, false)
  }

  #carryOut(namespace: Namespace, kept: Kept, isTakenOver: boolean): void {
    // A run that is begun while the engine stops is the next one's.
    if (this.#stop.signal.aborted) return
    const { onError } = this.#host
    const run = new EmbeddedRun(this.#host, namespace, (workflow, at, input) =>
      this.#start(at, { workflow, input, owner: this.#owner, isChild: true }),
    )
    if (kept.isCancelled) run.cancel()
    const ended = this.#ended(run, kept, isTakenOver)
      .catch((error: unknown) => {
        if (!run.signal.aborted) onError(error)
      })
      .finally(() => {
        this.#active.delete(namespace.key)
      })
    this.#active.set(namespace.key, { run, ended })
  }

  async #ended(run: EmbeddedRun, kept: Kept, isTakenOver: boolean): Promise<void> {
    const { namespace } = run
    const { parent } = namespace
    if (isTakenOver) await run.load()
    if (!kept.isOver) {
      const workflow = this.#host.workflows[kept.workflow]
      if (!workflow)
        throw new OrraError("plan_workflow_unknown", `This engine knows no workflow ${kept.workflow}.`)
      const value = await workflow(run, kept.input)
      // What comes of it is written, then that it is over, then what it kept is removed: after a crash all of that is done again.
      if (kept.isChild && parent) {
        const key = childKey(String(namespace.segments.at(-1)))
        await run.stored(() => this.#steps.put(parent, key, { type: "done", value }))
        await run.stored(() => this.#poke(parent))
      }
      await run.stored(() => this.#change(namespace, (current) => ({ ...current, isOver: true })))
    }
    await run.stored(() => run.forget())
    await run.stored(() => this.#runs.delete(namespace, RUN))
  }

  /** Has whoever carries it out look at it again. */
  async #poke(namespace: Namespace): Promise<void> {
    const active = this.#active.get(namespace.key)
    if (active) await this.#lookAgain(active.run)
    else await this.#pokes.put(namespace, POKE, true)
  }

  async #lookAgain(run: EmbeddedRun): Promise<void> {
    const record = await this.#runs.get(run.namespace, RUN)
    if (record && keptIn(record.value).isCancelled) run.cancel()
    run.wake()
  }

  /** False when there is none. */
  async #change(namespace: Namespace, change: (kept: Kept) => Kept): Promise<boolean> {
    for (;;) {
      const record = await this.#runs.get(namespace, RUN)
      if (!record) return false
      try {
        const { version: expected } = record
        await this.#runs.put(namespace, RUN, { ...change(keptIn(record.value)) }, { expected })
        return true
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async #register(): Promise<void> {
    const { store, root } = this.#host
    // First: an engine that is not in the list would leave its runs for ever.
    await this.#engines.put(root, this.#owner, true)
    this.#lease = await store.acquire(leaseOf(root, this.#owner), this.#owner, this.#leaseMs)
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
    try {
      if (this.#lease) this.#lease = await this.#host.store.renew(this.#lease, this.#leaseMs)
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error
      // Others may have taken its runs by now: it begins again as another engine, which takes those that are left.
      await this.#stopAll()
      this.#owner = randomId()
      await this.#register()
    }
    await this.#takeOver()
    for await (const { namespace } of everyItem((page) =>
      this.#pokes.list(this.#host.root, { ...page, below: true }),
    )) {
      const active = this.#active.get(namespace.key)
      if (!active && (await this.#runs.get(namespace, RUN))) continue
      await this.#pokes.delete(namespace, POKE)
      if (active) await this.#lookAgain(active.run)
    }
  }

  /** Goes on with what engines that are gone have left. */
  async #takeOver(): Promise<void> {
    const { store, root } = this.#host
    for await (const { key: owner } of everyItem((page) => this.#engines.list(root, page))) {
      if (owner === this.#owner || this.#stop.signal.aborted) continue
      const lease = await store.acquire(leaseOf(root, owner), this.#owner, this.#leaseMs)
      if (!lease) continue
      for await (const record of everyItem((page) => this.#runs.list(root, { ...page, below: true })))
        if (keptIn(record.value).owner === owner) await this.#take(record)
      await this.#engines.delete(root, owner)
      await store.release(lease)
    }
  }

  async #take({ namespace, value, version: expected }: StoredRecord): Promise<void> {
    const kept = { ...keptIn(value), owner: this.#owner }
    try {
      await this.#runs.put(namespace, RUN, { ...kept }, { expected })
    } catch (error) {
      // It was cancelled in between, or somebody else was quicker.
      if (!(error instanceof VersionConflict)) throw error
      const again = await this.#runs.get(namespace, RUN)
      if (again && keptIn(again.value).owner === keptIn(value).owner) await this.#take(again)
      return
    }
    this.#carryOut(namespace, kept, true)
  }

  async #stopAll(): Promise<void> {
    const active = [...this.#active.values()]
    const reason = new OrraError("plan_engine_stopped", "This engine stops: another one goes on.")
    for (const { run } of active) run.stop(reason)
    await Promise.all(active.map(({ ended }) => ended))
  }
}

const keptIn = (value: Json): Kept => value as unknown as Kept
const leaseOf = (root: Namespace, owner: string): Namespace => root.child("engine", owner)
