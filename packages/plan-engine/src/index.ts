export type { ConnectionsOptions } from "./connections.ts"
export {
  leaves,
  type Plan,
  type PlanTask,
  parallelGroups,
  type Service,
  withConstantsInTaskZero,
} from "./plan.ts"
export { createPlanEngine, type PlanEngine, type PlanEngineOptions } from "./plan-engine.ts"
export type { WebhookOptions } from "./plan-webhooks.ts"
export { makePlan, type Planned, type PlanningEvent, type PlanOptions } from "./planner.ts"
export { type Finding, type FindingCode, type ProofOptions, prove } from "./prove.ts"
export { type Answer, readAnswer, readPlan } from "./read-plan.ts"
export { RecordedLog } from "./recorded-log.ts"
export { resolve } from "./reference.ts"
export {
  type PlanResult,
  type RetryOptions,
  type RunPlanOptions,
  runPlan,
  type TaskCall,
  type TaskOutcome,
  type UndoCall,
} from "./run.ts"
export { type Halt, type RunEntry, type RunLog, RunState, type Undo, type UndoOutcome } from "./run-log.ts"
