export {
  type Difference,
  type DifferenceCode,
  type Replayed,
  type ReplayOptions,
  replay,
} from "./audit/replay.ts"
export type {
  Durability,
  Durable,
  DurableHost,
  DurableInfo,
  DurableRun,
  Workflow,
} from "./execution/durable/durable.ts"
export { type EmbeddedOptions, embedded } from "./execution/durable/embedded.ts"
export { attemptStep, type StepOutcome, stepValue } from "./execution/durable/step.ts"
export { RecordedLog } from "./execution/recorded-log.ts"
export {
  type PlanResult,
  type RetryOptions,
  type RunPlanOptions,
  runPlan,
  type TaskCall,
  type TaskOutcome,
  type UndoCall,
} from "./execution/run.ts"
export {
  type Halt,
  type RunEntry,
  type RunLog,
  RunState,
  type Undo,
  type UndoOutcome,
} from "./execution/run-log.ts"
export { createPlanEngine, type PlanEngine, type PlanEngineOptions } from "./plan-engine.ts"
export type { Constraint, Rule } from "./planning/constraints.ts"
export { type Grounding, parseGrounding, type UseCase } from "./planning/grounding-file.ts"
export { type Pddl, toPddl } from "./planning/pddl.ts"
export {
  leaves,
  type Plan,
  type PlanTask,
  parallelGroups,
  type Service,
  withConstantsInTaskZero,
} from "./planning/plan.ts"
export type { PlanCacheOptions } from "./planning/plan-cache.ts"
export { makePlan, type Planned, type PlanningEvent, type PlanOptions } from "./planning/planner.ts"
export { type Finding, type FindingCode, type ProofOptions, prove } from "./planning/prove.ts"
export { type Answer, readAnswer, readPlan } from "./planning/read-plan.ts"
export { resolve } from "./planning/reference.ts"
export { Schemas } from "./planning/schema.ts"
export type { WebhookOptions } from "./webhooks/plan-webhooks.ts"
export type { ConnectionsOptions } from "./wire/connections.ts"
