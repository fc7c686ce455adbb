import { CommanderError } from "commander"
import type { Surroundings } from "./cli.ts"
import { CliError } from "./errors.ts"
import { orraProgram } from "./program.ts"

/** How a shell tells of a program that Ctrl-C ended. */
const INTERRUPTED = 130

/**
 * Does what the arguments say.
 *
 * @returns the exit code: 0, 1 for what could not be done, 130 after Ctrl-C.
 */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    await orraProgram(around).parseAsync([...args], { from: "user" })
    return around.signal.aborted ? INTERRUPTED : 0
  } catch (error) {
    if (around.signal.aborted) return INTERRUPTED
    // Commander has said what is wrong, and how the command is used.
    if (error instanceof CommanderError) return error.exitCode
    const { code, message, hint } =
      error instanceof CliError
        ? error
        : new CliError("unexpected", `Something unexpected, please report it. ${(error as Error).stack}`)
    around.error(
      args.includes("--json")
        ? `${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } })}\n`
        : `⨯ Error: ${message}\n${hint === undefined ? "" : `  ${hint}\n`}`,
    )
    return 1
  }
}
