import { CommanderError } from "commander"
import type { Surroundings } from "./cli.ts"
import { CliError } from "./errors.ts"
import { orraProgram } from "./program.ts"
import { shown } from "./text.ts"

/** How a shell tells of a program that Ctrl-C ended. */
const INTERRUPTED = 130

/**
 * Does what the arguments say.
 *
 * @returns the exit code: 0, 1 for what could not be done, 130 after Ctrl-C.
 */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  const isJson = args.includes("--json")
  try {
    await orraProgram(isJson ? { ...around, error: () => {} } : around).parseAsync([...args], {
      from: "user",
    })
    return around.signal.aborted ? INTERRUPTED : 0
  } catch (error) {
    if (around.signal.aborted) return INTERRUPTED
    // Commander has said what is wrong to people, and how the command is used.
    if (error instanceof CommanderError && (!isJson || error.exitCode === 0)) return error.exitCode
    const { code, message, hint } = asCliError(error)
    around.error(
      isJson
        ? `${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } })}\n`
        : `⨯ Error: ${shown(message)}\n${hint === undefined ? "" : `  ${shown(hint)}\n`}`,
    )
    return 1
  }
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError)
    return new CliError("usage", error.message.replace(/^error: /, ""), "See how it is used with --help.")
  return new CliError("unexpected", `Something unexpected, please report it. ${(error as Error).stack}`)
}
