import { providerConformance } from "@orra/testing/conformance"
import { openai } from "./index.ts"

providerConformance("openai", (server, settings) =>
  openai({ ...settings, model: "fake-large", baseURL: server.openaiUrl }),
)
