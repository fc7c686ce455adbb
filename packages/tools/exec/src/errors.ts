import { OrraError } from "@orra/core"

/** Why a command was not run. Stable: match on these. */
export type ExecErrorCode =
  /** Empty, an open quote, invisible characters, a wrong argument. */
  | "command_invalid"
  /** Only a shell could do what it says, and there is none. */
  | "shell_refused"
  /** No such program, or a file that cannot be executed. */
  | "program_not_found"
  /** Not there, no directory, or outside of the one that the session works in. */
  | "directory_refused"
  /** The directory, the program or the script is another one than when it was decided. */
  | "command_changed"
  /** The tool was not wired with its hooks and its policy. */
  | "exec_not_judged"
  /** Isolation is required and this system has none. */
  | "isolation_missing"
  /** The system could not start it. */
  | "spawn_failed"

/** A command that was not run. The message says what the model can do. */
export class ExecError extends OrraError {
  declare readonly code: ExecErrorCode

  constructor(
    code: ExecErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
