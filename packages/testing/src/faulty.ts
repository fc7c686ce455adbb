/**
 * What goes wrong with a call.
 * - `fail`: it throws `error` and nothing happens.
 * - `lose`: it takes effect and throws all the same: its answer is lost.
 * - `duplicate`: it takes effect twice, as a message that is delivered twice does; of a stream, one item comes twice.
 * - `hang`: it never ends, whatever signal fires.
 * - a promise: it waits for that first.
 */
export type Fault = "fail" | "lose" | "duplicate" | "hang" | PromiseLike<unknown>

/** Where something goes wrong. */
export interface FaultAt {
  /** Of the method of this name; of what another method gives, both: "records.put". */
  readonly method: string
  /** The call of this number, from 1. Default: every one. */
  readonly call?: number
  /** Of a stream: so many items come through first. Default 0. */
  readonly after?: number
  readonly fault: Fault
  /** What is thrown. Default an Error that says that this fault was asked for. */
  readonly error?: unknown
}

export interface FaultyOptions {
  /** Counts the calls by method: make one, run what is to be tried, and ask `everyFault` for the places. */
  readonly calls?: Map<string, number>
}

/**
 * The same object, in which chosen calls go wrong: a store, a provider, a tool, hooks, a channel, or whatever else has
 * methods.
 *
 * ```ts
 * const store = faulty(new MemoryStore(), [{ method: "append", call: 3, fault: "lose" }])
 * const provider = faulty(scripted, [{ method: "stream", call: 2, after: 1, fault: "fail" }])
 * const slow = faulty(weather, [{ method: "execute", fault: "hang" }])
 * ```
 */
export function faulty<T extends object>(
  target: T,
  faults: readonly FaultAt[],
  { calls = new Map<string, number>() }: FaultyOptions = {},
): T {
  return wrapped(target, "", faults, calls)
}

/**
 * Each place at which something can go wrong once: every call that was counted, with every fault. Those that hang are
 * left out unless asked for: whoever tries them has to stop what waits.
 */
export function everyFault(
  calls: ReadonlyMap<string, number>,
  faults: readonly Fault[] = ["fail", "lose", "duplicate"],
): readonly FaultAt[] {
  return [...calls].flatMap(([method, count]) =>
    Array.from({ length: count }, (_, index) =>
      faults.map((fault): FaultAt => ({ method, call: index + 1, fault })),
    ).flat(),
  )
}

type Method = (...args: unknown[]) => unknown

function wrapped<T extends object>(
  target: T,
  prefix: string,
  faults: readonly FaultAt[],
  calls: Map<string, number>,
): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name)
      if (typeof member !== "function" || typeof name !== "string" || name === "constructor") return member
      const method = prefix + name
      return (...args: unknown[]) => {
        const call = (calls.get(method) ?? 0) + 1
        calls.set(method, call)
        const fault = faults.find((each) => each.method === method && (each.call ?? call) === call)
        // Bound: a proxy is not the object whose private fields a method needs.
        const perform = (): unknown => (member as Method).apply(object, args)
        return fault ? gone(fault, perform) : through(perform(), method, faults, calls)
      }
    },
  })
}

/** What a method gives that is no answer but has methods of its own is wrapped as well. */
function through(
  given: unknown,
  method: string,
  faults: readonly FaultAt[],
  calls: Map<string, number>,
): unknown {
  if (typeof given !== "object" || given === null || "then" in given || isStream(given)) return given
  return Object.values(given).some((member) => typeof member === "function")
    ? wrapped(given, `${method}.`, faults, calls)
    : given
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value

/** The call with its fault: a stream where it has items or is called so, else a promise. */
function gone(at: FaultAt, perform: () => unknown): unknown {
  if (at.after !== undefined) return goneWithin(at, perform)
  return at.method === "stream" ? goneWithin({ ...at, after: 0 }, perform) : goneAsPromise(at, perform)
}

async function goneAsPromise(at: FaultAt, perform: () => unknown): Promise<unknown> {
  if (at.fault === "fail") throw errorOf(at)
  if (at.fault === "hang") return await new Promise(() => {})
  if (typeof at.fault === "object") await at.fault
  const given = await perform()
  if (at.fault === "duplicate") return await perform()
  if (at.fault === "lose") throw errorOf(at)
  return given
}

async function* goneWithin(at: FaultAt, perform: () => unknown): AsyncGenerator<unknown> {
  let left = at.after ?? 0
  for await (const item of perform() as AsyncIterable<unknown>) {
    if (left-- === 0) {
      if (at.fault === "fail") throw errorOf(at)
      if (at.fault === "hang") await new Promise(() => {})
      if (at.fault === "duplicate") yield item
      if (typeof at.fault === "object") await at.fault
    }
    yield item
  }
  if (at.fault === "lose") throw errorOf(at)
}

const errorOf = (at: FaultAt): unknown =>
  "error" in at ? at.error : new Error(`Asked for: ${at.method} ${String(at.fault)}.`)
