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
export { type VirtualClock, virtualClock } from "./virtual-clock.ts"
