import type { ProjectKey } from "./projects.ts"

/** Timers wait no longer than this, in ms. */
const LONGEST = 2 ** 31 - 1
/** "Policy violation" of RFC 6455, section 7.4.1. */
const POLICY = 1008

/** Closes what a key opened when it expires. */
export function closeWhenExpired(
  socket: {
    close(code: number, reason: string): void
    once(event: "close", listener: () => void): unknown
  },
  { expiresAt }: ProjectKey,
): void {
  if (expiresAt === undefined) return
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    const left = expiresAt - Date.now()
    if (left <= 0) socket.close(POLICY, "The key has expired.")
    else timer = setTimeout(wait, Math.min(left, LONGEST))
  }
  wait()
  socket.once("close", () => clearTimeout(timer))
}
