/** Until something happens, but no longer than so many ms, or until the signal fires. */
export async function within(ms: number, happens: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  const timer = setTimeout(end, Math.min(ms, 60_000))
  signal.addEventListener("abort", end, { once: true })
  if (signal.aborted) end()
  await Promise.race([happens, over])
  clearTimeout(timer)
  signal.removeEventListener("abort", end)
}
