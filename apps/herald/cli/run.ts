import { closeSync, openSync } from "node:fs"
import type { LoadedConfig } from "../server/config/load.ts"
import { type Herald, startHerald } from "../server/herald.ts"

/** A second signal does not wait. 128 + SIGINT, as shells count. */
const EXIT_AT_ONCE = 130

/** Runs Herald until a signal ends it. @returns the exit code. @throws what keeps it from starting. */
export async function runHerald(
  loaded: LoadedConfig,
  options: { readonly version: string; readonly page: string | undefined },
): Promise<number> {
  // A terminal that went away, or a closed pipe, is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)
  let herald: Herald | undefined
  const signalled = new Promise<void>((resolve) => {
    let count = 0
    const stop = (): void => {
      if (++count > 1) process.exit(EXIT_AT_ONCE)
      resolve()
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop)
    const wasAtTerminal = process.stdin.isTTY
    process.on("SIGHUP", () => {
      if (wasAtTerminal && !hasTerminal()) stop()
      else void herald?.reload()
    })
  })
  herald = await startHerald(loaded, {
    ...options,
    env: process.env,
    out: process.stdout,
    terminal: process.stderr,
  })
  await signalled
  process.stdout.write("stopping; press Ctrl-C again to stop at once\n")
  await herald.close()
  return 0
}

/** Somebody who closes their terminal means the program in it; anybody else who sends SIGHUP has changed the file. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"))
    return true
  } catch {
    return false
  }
}
