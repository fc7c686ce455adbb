import {
  type Hooks,
  type NewEntry,
  type Provider,
  type SessionStore,
  StoreError,
  type Tool,
  type ToolOutput,
} from "@orra/core"

/** A place where a process can die: before a call takes effect, or after it did and before anybody learnt of it. */
export interface Point {
  /** From 1, in the order they are reached. */
  readonly number: number
  readonly when: "before" | "after"
  /** The call: "append user+run_started", "model next", "tool charge". */
  readonly call: string
}

/** A process that can die, as far as a runtime in it can tell: from then on nothing it awaits ever comes back. */
export interface Mortal {
  readonly dead: boolean
  /** The points that were reached, if they are kept (`mortal({ trace: true })`). */
  readonly points: readonly Point[]
  /** Resolves with the point at which it dies by itself. */
  readonly death: Promise<Point>
  /** Makes an asynchronous call between two points. */
  through<T>(call: string, work: () => Promise<T>): Promise<T>
  store(inner: SessionStore): SessionStore
  provider(inner: Provider): Provider
  tool(inner: Tool): Tool
  /** Hooks that do nothing but be places to die: at every point of a run that a hook can look at. */
  hooks(): Hooks
  die(): void
  /** Ends what hangs, so that timers and memory of the dead process are given back. Nothing is written any more. */
  bury(): void
}

/** Dies at the point of this number, or when told to. */
export function mortal(options: { readonly dieAt?: number; readonly trace?: boolean } = {}): Mortal {
  const { dieAt, trace = false } = options
  const points: Point[] = []
  const hanging = new Set<(error: unknown) => void>()
  const death = Promise.withResolvers<Point>()
  let count = 0
  let dead = false
  let buried = false

  const hang = (): Promise<never> =>
    new Promise((_, reject) => {
      if (buried) reject(gone())
      else hanging.add(reject)
    })
  const passes = (when: Point["when"], call: string): boolean => {
    if (dead) return false
    const number = ++count
    if (trace) points.push({ number, when, call })
    if (number !== dieAt) return true
    dead = true
    death.resolve({ number, when, call })
    return false
  }
  const through = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    if (!passes("before", call)) return await hang()
    let result: T
    try {
      result = await work()
    } catch (error) {
      if (!passes("after", call)) return await hang()
      throw error
    }
    return passes("after", call) ? result : await hang()
  }
  const tell = (call: string) => () => through(call, async () => undefined)

  return {
    get dead() {
      return dead
    },
    points,
    death: death.promise,
    through,
    store: (inner) => ({
      info: (...args) => through("info", () => inner.info(...args)),
      append: (...args) => through(`append ${named(args[1])}`, () => inner.append(...args)),
      read: (...args) => through("read", () => inner.read(...args)),
      list: (...args) => through("list", () => inner.list(...args)),
      delete: (...args) => through("delete", () => inner.delete(...args)),
      acquire: (...args) => through("acquire lease", () => inner.acquire(...args)),
      renew: (...args) => through("renew lease", () => inner.renew(...args)),
      release: (...args) => through("release lease", () => inner.release(...args)),
      records: (collection) => {
        const records = inner.records(collection)
        const call = (method: string) => `${method} ${collection}`
        return {
          get: (...args) => through(call("get"), () => records.get(...args)),
          put: (...args) => through(call("put"), () => records.put(...args)),
          write: (...args) => through(call("write"), () => records.write(...args)),
          delete: (...args) => through(call("delete"), () => records.delete(...args)),
          list: (...args) => through(call("list"), () => records.list(...args)),
        }
      },
      collections: (...args) => through("collections", () => inner.collections(...args)),
      close: (...args) => through("close", () => inner.close(...args)),
    }),
    provider: (inner) => ({
      get id() {
        return inner.id
      },
      get model() {
        return inner.model
      },
      async *stream(request, settings) {
        const events = inner.stream(request, settings)[Symbol.asyncIterator]()
        try {
          for (;;) {
            const result = await through("model next", () => events.next())
            if (result.done) return
            yield result.value
          }
        } finally {
          if (!dead) await events.return?.()
        }
      },
    }),
    tool: (inner) => ({
      ...inner,
      parse: (input) => through(`parse ${inner.definition.name}`, () => inner.parse(input)),
      execute: (input, context): Promise<ToolOutput> =>
        through(`tool ${inner.definition.name}`, () => inner.execute(input, context)),
    }),
    hooks: () => ({
      name: "mortal",
      runStart: tell("hook runStart"),
      beforeModel: tell("hook beforeModel"),
      afterModel: tell("hook afterModel"),
      beforeTool: tell("hook beforeTool"),
      approval: tell("hook approval"),
      afterTool: tell("hook afterTool"),
      runEnd: tell("hook runEnd"),
    }),
    die() {
      dead = true
    },
    bury() {
      dead = true
      buried = true
      for (const reject of hanging) reject(gone())
      hanging.clear()
    },
  }
}

/** What the entries of an append are, each kind once. */
const named = (entries: readonly NewEntry[]): string =>
  [...new Set(entries.map(({ type }) => type))].join("+")

const gone = (): StoreError => new StoreError("store_process_dead", "This process is dead.")
