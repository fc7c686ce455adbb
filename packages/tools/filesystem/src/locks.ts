/** One after the other for each key, in the order of the calls. */
export type Locks = <T>(key: string, work: () => Promise<T>) => Promise<T>

export function locks(): Locks {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key)
    const mine = (before ?? Promise.resolve()).then(work, work)
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
