import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"

/** What belongs to a running Herald, or tells what happened, and stays where it is. */
const STAYS = /^(?:herald\.(?:lock|pid).*|logs|restore-.*|before-.*)$/

/** Where a backup is unpacked. What is in it counts for nothing yet. */
export const UNPACKING = "restore-unpacking"
/** Unpacked and found to be whole: what was there before is moved away. */
const MOVING_OUT = "restore-moving-out"
/** What was there is away: what is restored is moved in. */
const MOVING_IN = "restore-moving-in"

/**
 * Puts what is unpacked in the place of what is there, which is moved to `before-<when>`. If it is cut off, by a power cut
 * perhaps, {@link finishRestore} goes on.
 *
 * @returns the name of the folder with what was there before; undefined when there was nothing.
 */
export function putInPlace(directory: string): string | undefined {
  renameSync(join(directory, UNPACKING), join(directory, MOVING_OUT))
  return finishRestore(directory)
}

/** Ends a restore that was cut off, if there is one. Every step can be taken again. */
export function finishRestore(directory: string): string | undefined {
  let before: string | undefined
  if (existsSync(join(directory, MOVING_OUT))) {
    const old = readdirSync(directory).filter((name) => !STAYS.test(name))
    if (old.length > 0) {
      before = `before-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`
      mkdirSync(join(directory, before), { recursive: true, mode: 0o700 })
      for (const name of old) renameSync(join(directory, name), join(directory, before, name))
    }
    renameSync(join(directory, MOVING_OUT), join(directory, MOVING_IN))
  }
  if (existsSync(join(directory, MOVING_IN))) {
    for (const name of readdirSync(join(directory, MOVING_IN)))
      renameSync(join(directory, MOVING_IN, name), join(directory, name))
    rmSync(join(directory, MOVING_IN), { recursive: true })
  }
  return before
}

/** What of a data directory is worth keeping, by name; the database is copied in a way of its own. */
export const keptIn = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => !STAYS.test(name) && !name.startsWith("herald.db"))
