export { durablePeer } from "./conformance/durable-peer.ts"
export { type DurableSubject, durableConformance } from "./conformance/durable-suite.ts"
