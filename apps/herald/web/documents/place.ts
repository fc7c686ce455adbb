import type { Place } from "../app/router.ts"

/** A document, and the lines of it that are meant: `/documents/<id>:12-20`. */
export interface Cited {
  readonly id: string
  readonly from: number
  readonly to: number
}

export const placeOf = ({ id, from, to }: Cited): Place => ({
  type: "screen",
  screen: "documents",
  part: `${encodeURIComponent(id)}:${from}-${to}`,
})

export function citedIn(part: string | undefined): Cited | undefined {
  const [, id, from = "1", to = "0"] = /^([^:]+)(?::(\d+)-(\d+))?$/.exec(part ?? "") ?? []
  if (id === undefined) return undefined
  try {
    return { id: decodeURIComponent(id), from: Number(from), to: Number(to) }
  } catch {
    return undefined
  }
}
