export { type FuzzedProvider, type FuzzOptions, type FuzzReport, fuzzSessions } from "./fuzz/fuzz.ts"
