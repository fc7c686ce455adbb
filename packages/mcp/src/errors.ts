import { OrraError } from "@orra/core"

/** What went wrong with a server. Stable: match on these. */
export type McpErrorCode =
  /** It could not be started or reached. */
  | "mcp_unavailable"
  /** It ended, or the connection broke, while it worked on a call: whether that was carried out is not known. */
  | "mcp_interrupted"
  /** It did not answer in time. */
  | "mcp_timeout"
  /** It answered with an error of the protocol. */
  | "mcp_refused"
  /** What it answered is not what the protocol or its own schema says, or more than is read. */
  | "mcp_invalid"
  /** Its tool is not what it was when it was accepted, and nobody was asked. */
  | "mcp_tool_changed"

/** A failure of a server, said for the model. */
export class McpError extends OrraError {
  declare readonly code: McpErrorCode

  constructor(
    code: McpErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
