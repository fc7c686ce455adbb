export { type ClientCall, type ClientToolOptions, clientTool } from "./client-tool.ts"
export type { AgentTool, Caller, ExposeOptions } from "./expose.ts"
export type { Complete, ServedArgument, ServedPrompt, ServedResource } from "./offers.ts"
export {
  type HttpHandler,
  type HttpOptions,
  mcpHttp,
  mcpStdio,
  type StdioOptions,
  type Told,
} from "./serve.ts"
