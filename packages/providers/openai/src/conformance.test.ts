import { providerConformance } from "@orra/testing/conformance"
import { openai } from "./index.ts"

providerConformance("openai", (server, settings) =>
  openai({ ...settings, model: "fake-large", baseURL: server.openaiUrl }),
)

providerConformance("openai, Responses", (server, settings) =>
  openai({ ...settings, api: "responses", model: "fake-large", baseURL: server.openaiUrl }),
)
