import type { Guarantee } from "./guarantee.ts"

/** Laws, isolation, policy, budgets, transcript and context, durability, agents. */
const ORDER = "LIPBTDC"

const place = ({ id }: Guarantee): number => ORDER.indexOf(id.slice(0, 1)) * 1_000 + Number(id.slice(1))

/** One entry for each promise, in their order: several areas may hold a part of the same one. */
export function merged(list: readonly Guarantee[]): readonly Guarantee[] {
  const byId = new Map<string, Guarantee>()
  for (const guarantee of list) {
    const before = byId.get(guarantee.id)
    byId.set(guarantee.id, {
      ...guarantee,
      ...(before && {
        title: before.title,
        promise: `${before.promise} ${guarantee.promise}`,
        proofs: [...before.proofs, ...guarantee.proofs],
      }),
    })
  }
  return [...byId.values()].sort((a, b) => place(a) - place(b))
}
