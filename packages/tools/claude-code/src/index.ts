export { type ClaudeCodeOptions, claudeCode } from "./claude-code.ts"
export type { CliOptions } from "./cli.ts"
export { ClaudeCodeError, type ClaudeCodeErrorCode } from "./errors.ts"
