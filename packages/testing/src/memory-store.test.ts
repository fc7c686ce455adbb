import { MemoryStore } from "@orra/core"
import { storeConformance } from "./conformance.ts"

storeConformance("MemoryStore", ({ now }) => new MemoryStore({ now }))
