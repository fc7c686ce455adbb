export { HttpError } from "./errors.ts"
export {
  createGateway,
  type Gateway,
  type GatewayLogEntry,
  type GatewayOptions,
  type GatewayTeam,
} from "./gateway.ts"
export { type Caller, isLoopback } from "./guard.ts"
export { ownNamespace } from "./input.ts"
export { type Login, type LoginRecords, memoryLogins } from "./logins.ts"
export type { Principal } from "./principal.ts"
export type {
  ClientFrame,
  Permission,
  ServerFrame,
  WireApproval,
  WireApprovalRule,
  WireError,
  WireMessage,
  WirePrincipal,
  WireSession,
  WireSubmission,
} from "./protocol.ts"
export type { GatewayRequest, OpenRequest, Route } from "./route.ts"
