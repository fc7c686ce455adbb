export { type OpenAIOptions, openai } from "./openai.ts"
