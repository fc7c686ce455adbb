export type { HttpServer, StdioServer } from "./connection.ts"
export { McpError, type McpErrorCode } from "./errors.ts"
export type { SamplingOptions } from "./sampling.ts"
export { type McpOptions, type McpServers, mcpServers, type Question, type ServerOptions } from "./servers.ts"
