import { OrraError } from "@orra/core"

/** Why Claude Code did not do a task. Stable: match on these. */
export type ClaudeCodeErrorCode =
  /** The program is not installed, or not where it was said to be. */
  | "claude_code_missing"
  /** The time was up. */
  | "claude_code_timeout"
  /** It ended without a result. */
  | "claude_code_failed"
  /** There is no such session here. */
  | "claude_code_session_unknown"
  /** It wrote more, used more memory or started more processes than it may. */
  | "claude_code_limit"

/** A task that was not done. The message says what to do; nothing of the environment is in it. */
export class ClaudeCodeError extends OrraError {
  declare readonly code: ClaudeCodeErrorCode

  constructor(
    code: ClaudeCodeErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
