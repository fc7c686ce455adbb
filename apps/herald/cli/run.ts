import type { LoadedConfig } from "../server/config/load.ts"
import { startHerald } from "../server/herald.ts"

/** A second signal does not wait. 128 + SIGINT, as shells count. */
const EXIT_AT_ONCE = 130

/** Runs Herald until a signal ends it. @returns the exit code. @throws what keeps it from starting. */
export async function runHerald(
  loaded: LoadedConfig,
  options: { readonly version: string; readonly page: string | undefined },
): Promise<number> {
  // A terminal that went away, or a closed pipe, is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    let count = 0
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (++count > 1) process.exit(EXIT_AT_ONCE)
        resolve(signal)
      })
    }
  })
  const herald = await startHerald(loaded, {
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
