export { serviceAddress } from "./address.ts"
export { checkedFetch, findCause, HttpFailure } from "./checked-fetch.ts"
export type { Incoming, Outgoing } from "./dispatch.ts"
export { chunkFailure, errorParts, failedPart, openaiFailure } from "./openai-errors.ts"
export { type Send, sender } from "./send.ts"
export {
  connectionFailure,
  type FailureFacts,
  type ModelService,
  missingKey,
  redact,
  retryAfterMs,
  serviceFailure,
  statusKind,
} from "./service-failure.ts"
export { eventBatches } from "./sse.ts"
export { LINGER_MS, type Watchdog, watchdog } from "./watchdog.ts"
export { acceptedToolName, callIdMapper, toolCallPart, UnsupportedPart, wellFormed } from "./wire.ts"
