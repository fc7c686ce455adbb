/** Chance that is the same each time for the same seed. */
export interface Random {
  /** From 0 to below 1. */
  next(): number
  /** A whole number from 0 to below `count`. */
  below(count: number): number
  shuffled<T>(list: readonly T[]): readonly T[]
}

/** A linear congruential generator (Numerical Recipes), whose high bits are good enough to choose with. */
export function random(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const below = (count: number): number => Math.floor(next() * count)
  for (let warm = 0; warm < 4; warm++) next()
  return {
    next,
    below,
    shuffled(list) {
      const left = [...list]
      return list.flatMap(() => left.splice(below(left.length), 1))
    },
  }
}
