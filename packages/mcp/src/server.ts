export type { AgentTool, Caller, ExposeOptions } from "./expose.ts"
export { type HttpHandler, type HttpOptions, mcpHttp, mcpStdio, type StdioOptions } from "./serve.ts"
