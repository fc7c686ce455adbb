/** Runs one thing after another for each key, whatever becomes of the one before. */
export function turns(): <T>(key: string, action: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (key, action) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(action, action)
    const done = turn.then(
      () => {},
      () => {},
    )
    last.set(key, done)
    void done.then(() => last.get(key) === done && last.delete(key))
    return turn
  }
}
