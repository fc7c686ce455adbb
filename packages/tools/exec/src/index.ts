export { type CommandLine, splitCommand } from "./split.ts"
