export type { PersistenceOptions } from "./identity.ts"
export {
  type EngineAccess,
  type OrchestrateOptions,
  orchestrate,
  type PlanEnd,
  type PlanRequest,
} from "./orchestrate.ts"
export type { AnySchema, Given, Received, StandardTaskSchema } from "./schema.ts"
export {
  type ConnectionOptions,
  initAgent,
  initService,
  type PlanService,
  type RegisterOptions,
  type ServiceInfo,
  type ServiceOptions,
} from "./service.ts"
export { fileServiceStore, recordServiceStore, type ServiceStore } from "./service-store.ts"
export {
  FinalFailure,
  type Handler,
  type OriginalTask,
  type RevertContext,
  type RevertHandler,
  type RevertOutcome,
  type Task,
} from "./task.ts"
