import { SdkError, SdkErrorCode } from "@modelcontextprotocol/client"
import { errorMessage } from "@orra/core"
import type { HttpServer, StdioServer } from "./connection.ts"
import { McpError, type McpErrorCode } from "./errors.ts"

/** Shorter values of `env` and `headers` are no secrets: `1`, `debug`. */
const MIN_SECRET = 6

/** Says what went wrong with a server, for the model, and without what only the server is to know. */
export interface Failures {
  unavailable(why: string, cause?: unknown): McpError
  /** `complaint` is what the program has said of itself, or nothing. */
  of(error: unknown, complaint: string): McpError
}

export function failuresOf(server: string, options: StdioServer | HttpServer): Failures {
  const { env = {}, headers = {} } = options as Partial<StdioServer & HttpServer>
  const secrets = [...Object.values(env), ...Object.values(headers)].filter(
    ({ length }) => length >= MIN_SECRET,
  )
  const masked = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, "[hidden]"), text)
  const failure = (code: McpErrorCode, message: string, cause: unknown): McpError =>
    new McpError(code, masked(`The server "${server}" ${message}`), { server }, cause)
  const unavailable = (why: string, cause?: unknown): McpError =>
    failure("mcp_unavailable", `is not available: ${why.replace(/\.$/, "")}.`, cause)
  return {
    unavailable,
    of(error, complaint) {
      if (error instanceof McpError) return error
      if (SdkError.isInstance(error)) {
        const { code } = error
        if (code === SdkErrorCode.RequestTimeout)
          return failure("mcp_timeout", "did not answer in time.", error)
        if (code === SdkErrorCode.InvalidResult)
          return failure("mcp_invalid", "answered with something that is no result.", error)
        if (code === SdkErrorCode.ConnectionClosed || code === SdkErrorCode.SendFailed) {
          const why = complaint ? ` It said: ${complaint}` : ""
          const told = `ended in the middle of this call: whether it was carried out is not known. It is started again.${why}`
          return failure("mcp_interrupted", told, error)
        }
      }
      // Nothing of the answer came: fetch fails with this.
      if (error instanceof TypeError) {
        const { code } = Object(error.cause) as { readonly code?: unknown }
        if (code === "ECONNREFUSED" || code === "ENOTFOUND")
          return unavailable(`it cannot be reached (${code})`, error)
        const told = "broke the connection during this call: whether it was carried out is not known."
        return failure("mcp_interrupted", told, error)
      }
      return failure("mcp_refused", `refused: ${errorMessage(error)}`, error)
    },
  }
}
