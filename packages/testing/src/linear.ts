export { historyProblems, type SettledSession } from "./linear/check.ts"
export type { Action, Answer, HistoryEvent } from "./linear/history.ts"
export { serveTrial } from "./linear/serve.ts"
export { type TrialOptions, type TrialReport, type Trouble, trial } from "./linear/trial.ts"
