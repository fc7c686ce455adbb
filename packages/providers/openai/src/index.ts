export { type OpenAIOptions, openai } from "./openai.ts"
export type { Reasoning } from "./responses-request.ts"
