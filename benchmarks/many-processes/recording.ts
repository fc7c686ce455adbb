// The statements of a turn, as the driver sends them.

import pg from "pg"

/** A statement with its parameters as text. */
export interface Statement {
  readonly name: string
  readonly text: string
  readonly values: readonly (string | null)[]
}

/** What travels together and is answered together. */
export type RoundTrip = readonly Statement[]

/** A parameter that is not the same in each turn of each session: the session, its lease, or a number that grows with each turn. */
export type Parameter =
  | { readonly type: "same"; readonly value: string | null }
  | { readonly type: "session" }
  | { readonly type: "lease" }
  | { readonly type: "number"; readonly value: number; readonly step: number }

export interface Template {
  readonly name: string
  readonly text: string
  readonly parameters: readonly Parameter[]
}

/** Writes down what every connection of this process sends from now on. Names of sessions that changed are left out: they are told together. */
export function recordStatements(): { take(): readonly RoundTrip[] } {
  const prototype = pg.Connection.prototype
  const { parse, bind, sync } = prototype
  const texts = new Map<string, string>()
  const pending = new WeakMap<pg.Connection, Statement[]>()
  let sent: RoundTrip[] = []
  const of = (connection: pg.Connection): Statement[] => {
    const known = pending.get(connection) ?? []
    pending.set(connection, known)
    return known
  }
  prototype.parse = function (this: pg.Connection, query, more) {
    texts.set(query.name, query.text)
    parse.call(this, query, more)
  }
  prototype.bind = function (this: pg.Connection, config, more) {
    const { statement: name = "", values = [] } = config ?? {}
    const text = texts.get(name) ?? ""
    of(this).push({
      name,
      text,
      values: values.map((value: unknown) => (value === null ? null : String(value))),
    })
    bind.call(this, config, more)
  }
  prototype.sync = function (this: pg.Connection) {
    sent.push(of(this))
    pending.delete(this)
    sync.call(this)
  }
  return {
    take() {
      const taken = sent
      sent = []
      return taken
    },
  }
}

/** What is alike in two turns of a session, one after the other, and in what they differ. */
export function templateOf(
  first: readonly RoundTrip[],
  second: readonly RoundTrip[],
  { session, entries, leases }: { session: string; entries: number; leases: readonly [string, string] },
): readonly (readonly Template[])[] {
  // A list of numbers is longer in the second.
  const shape = (turn: readonly RoundTrip[]): string =>
    JSON.stringify(turn.map((trip) => trip.map(({ text }) => text.replace(/\(\$[^)]*\)/g, ""))))
  if (shape(first) !== shape(second)) throw new Error("Two turns are not made of the same statements.")
  return second.map((trip, at) =>
    trip.map(({ name, text, values }, index) => ({
      name,
      text,
      parameters: values.map((value, place): Parameter => {
        const before = first[at]?.[index]?.values[place] ?? null
        if (value === session) return { type: "session" }
        if (value === leases[1] && before === leases[0]) return { type: "lease" }
        const step = Number(value) - Number(before)
        if (value !== null && before !== null && step === entries) {
          return { type: "number", value: Number(value), step }
        }
        return { type: "same", value }
      }),
    })),
  )
}
