export { type ClaudeOptions, claude } from "./claude.ts"
export type { Cache, Thinking } from "./request.ts"
