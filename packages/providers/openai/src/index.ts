export { type OpenAIOptions, openai } from "./openai.ts"
export type { Reasoning } from "./responses-request.ts"
export { type OpenAIService, type OpenAIServiceOptions, openaiService, type ServiceCall } from "./service.ts"
