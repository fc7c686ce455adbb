import { providerConformance } from "@orra/testing/conformance"
import { claude } from "./index.ts"

providerConformance("claude", (server, settings) => claude({ ...settings, baseURL: server.url }))
