export { type Mortal, mortal, type Point } from "./crash/mortal.ts"
export { everyFault, type Fault, type FaultAt, type FaultyOptions, faulty } from "./faulty.ts"
export { MemoryChannel } from "./memory-channel.ts"
export {
  call,
  end,
  fail,
  grammarProblem,
  hang,
  retry,
  type ScriptedAnswer,
  type ScriptedProvider,
  type ScriptedProviderOptions,
  type ScriptStep,
  say,
  scriptedProvider,
  think,
  wait,
} from "./scripted-provider.ts"
export { type ToolBench, type ToolBenchOptions, textOf, toolBench, useTool } from "./use-tool.ts"
export { type VirtualClock, virtualClock } from "./virtual-clock.ts"
export { type StoreFaults, type StoreMethod, type WatchedStore, watchedStore } from "./watched-store.ts"
export type { Family } from "./wire-families.ts"
export {
  cut,
  drop,
  type FakeModelServer,
  type FakeModelServerOptions,
  fakeModelServer,
  lastText,
  raw,
  redact,
  respond,
  type WireAnswer,
  type WireRequest,
  type WireStep,
} from "./wire-server.ts"
