export {
  type AgentProfile,
  type AgentResolver,
  type AgentRun,
  type AgentSettings,
  agentKey,
  DEFAULT_AGENT,
  DEFAULT_PERSONALITY,
  resolveAgents,
} from "./agent.ts"
export {
  type ApprovalAct,
  type ApprovalDecision,
  type ApprovalOptions,
  type ApprovalRule,
  Approvals,
  type PendingApproval,
} from "./approval.ts"
export { type BudgetOptions, Budgets } from "./budget.ts"
export type { BudgetGate } from "./budget-gate.ts"
export type { AtLimit, Limit } from "./budget-limit.ts"
export type { LimitState } from "./budget-report.ts"
export type { Period } from "./budget-window.ts"
export { type CallOptions, callTool } from "./call-tool.ts"
export { canonicalJson } from "./canonical-json.ts"
export {
  type Answering,
  type Channel,
  ChannelAdapter,
  type ChannelOptions,
  type InboundMessage,
  type OutboundError,
  type OutboundMessage,
} from "./channel.ts"
export { compact } from "./compact.ts"
export { type CompactionEstimate, type Compactor, type SummarizeOptions, summarize } from "./compaction.ts"
export { type ContextBudget, charEstimator, type Tokenizer } from "./context.ts"
export { DEFAULT_PRICES } from "./default-prices.ts"
export { type Caller, callerOf, delegatedIn, isDelegated } from "./delegated.ts"
export type { DelegationOptions } from "./delegation.ts"
export { DynamicProvider } from "./dynamic-provider.ts"
export type { Envelope } from "./envelope.ts"
export { busyBelow, eraseNamespace } from "./erase.ts"
export {
  errorMessage,
  InvalidInput,
  LeaseLost,
  NamespaceError,
  NotFound,
  OrraError,
  SessionBusy,
  StoreError,
  VersionConflict,
} from "./errors.ts"
export { exportNamespace } from "./export.ts"
export { frozenCopy } from "./frozen.ts"
export { readHistory } from "./history.ts"
export { type ApprovalHookOptions, type ApprovalRequest, approvalHook } from "./hooks/approval.ts"
export { type LoggingOptions, type LogRecord, logging } from "./hooks/logging.ts"
export { type RecordedText, type RecordedType, type RecordFilter, redact } from "./hooks/redact.ts"
export { type WorkingDirectoryOptions, workingDirectory } from "./hooks/working-directory.ts"
export type {
  ApprovalAnswer,
  ApprovalQuestion,
  BudgetEvent,
  EndRun,
  HookContext,
  Hooks,
  ToolCallAnswer,
} from "./hooks.ts"
export { randomId } from "./ids.ts"
export { type Imported, type ImportOptions, importNamespace } from "./import.ts"
export { isObject, type Json, type JsonObject, parseJson } from "./json.ts"
export type { SystemPrompt } from "./loop-run.ts"
export { MemoryLeases } from "./memory-leases.ts"
export { recordPage, recordPlace } from "./memory-records.ts"
export { MemoryStore, type MemoryStoreOptions } from "./memory-store.ts"
export { findMention, type Mention } from "./mention.ts"
export {
  type AssistantMessage,
  type AssistantPart,
  type FilePart,
  type ImagePart,
  type Message,
  messageText,
  type Origin,
  type TextPart,
  type ThinkingPart,
  type ToolCallPart,
  type ToolMessage,
  type ToolResultPart,
  type ToolStatus,
  toolCalls,
  type UserMessage,
  type UserPart,
  userMessage,
} from "./message.ts"
export { keyOf, Namespace } from "./namespace.ts"
export { Outbox, type OutboxMessage, type OutboxOptions } from "./outbox.ts"
export {
  decodeCursor,
  encodeCursor,
  everyItem,
  firstPage,
  foldCase,
  foldedTitle,
  type Listed,
  type ListPosition,
  listPosition,
  newestFirst,
  newestOf,
  pageLimit,
  pageOf,
} from "./paging.ts"
export { Peers, type PeersOptions } from "./peers.ts"
export { pin, unpin } from "./pins.ts"
export {
  InitFailed,
  type Plugin,
  type PluginEnd,
  type PluginInfo,
  type PluginOptions,
  type PluginParts,
  PluginRegistry,
} from "./plugin.ts"
export {
  type Decision,
  type Policies,
  type PolicyLayer,
  type PolicyOptions,
  PolicyRegistry,
  type Verdict,
} from "./policy.ts"
export type { ArgumentMatcher, PolicyCall, PolicyRule } from "./policy-rule.ts"
export { type ChangedVerdict, simulate } from "./policy-simulate.ts"
export { type PostOptions, post } from "./post.ts"
export { costOf, type FoundPrice, NANO, type Price, type PriceTable, priceOf, type Rates } from "./price.ts"
export {
  type NewProject,
  type Project,
  type ProjectPatch,
  type ProjectSettings,
  Projects,
  type ProjectsOptions,
} from "./project.ts"
export { PromptBuilder, type PromptOptions } from "./prompt.ts"
export {
  addUsage,
  type Effort,
  type FinishReason,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  NO_USAGE,
  type Provider,
  ProviderError,
  type ProviderErrorKind,
  type ToolDefinition,
  type Usage,
} from "./provider.ts"
export {
  assertDistinct,
  type RecordChange,
  type RecordListOptions,
  type RecordOptions,
  type Records,
  recordName,
  type StoredRecord,
} from "./records.ts"
export { abortedError, type RetryingOptions, type RetryOptions, retrying } from "./retry.ts"
export { type Agents, Router, type RouterOptions, type RoutingRule } from "./router.ts"
export {
  type Fork,
  type History,
  isEntry,
  type Notice,
  type RunEvent,
  type RunInput,
  type RunOptions,
  type RunResult,
  type SessionChange,
  type Submission,
  type WhenBusy,
} from "./run.ts"
export { Runtime } from "./runtime.ts"
export type { RuntimeOptions } from "./runtime-options.ts"
export type { InputSchema, StandardSchema } from "./schema.ts"
export {
  type Approval,
  type DeltaPiece,
  describe,
  type Entry,
  type EntryBody,
  type EntryType,
  type NewEntry,
  type Pin,
  type RunFailure,
  type RunOutcome,
  type SessionInfo,
} from "./session.ts"
export {
  type AppendOptions,
  type Lease,
  type ListOptions,
  needsLease,
  type Page,
  type ReadOptions,
  type SessionStore,
} from "./store.ts"
export { type AgentPrompt, Team, type TeamAgent, type TeamMember, type TeamOptions } from "./team.ts"
export { codePoints, firstCodePoints, informationFrom, plainly, truncated, visibleText } from "./text.ts"
export {
  PENDING,
  type Tool,
  type ToolContext,
  type ToolOptions,
  type ToolOutput,
  ToolRegistry,
  type ToolRisk,
  tool,
} from "./tool.ts"
export { toolResultReader } from "./tool-result-reader.ts"
