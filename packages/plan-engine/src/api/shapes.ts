import type { JsonObject } from "@orra/core"
import { DELIVERY_STATUSES } from "../webhooks/deliveries.ts"
import { SCOPES } from "./key-scopes.ts"

/** The statuses of orchestrations. */
export const STATUSES = [
  "pending",
  "processing",
  "completed",
  "failed",
  "not_actionable",
  "aborted",
  "cancelled",
] as const

const text = { type: "string" } as const
const whole = { type: "integer" } as const
const flag = { type: "boolean" } as const
const time = { type: "string", format: "date-time" } as const
const anything = {} as const
const object = { type: "object" } as const
const listOf = (items: JsonObject): JsonObject => ({ type: "array", items })
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` })

/** An object of these members; those whose names end in `?` can be missing. */
function members(all: Readonly<Record<string, JsonObject>>): JsonObject {
  const named = Object.entries(all).map(([name, schema]) => [name.replace(/\?$/, ""), schema] as const)
  const required = Object.keys(all).filter((name) => !name.endsWith("?"))
  return { type: "object", properties: Object.fromEntries(named), ...(required.length > 0 && { required }) }
}

const planTask = members({
  id: text,
  service: text,
  input: object,
  service_name: text,
  capabilities: listOf(text),
  expected_input: object,
  expected_output: object,
})

const inspectedTask = members({
  id: text,
  serviceId: text,
  serviceName: text,
  needs: listOf(text),
  status: text,
  statusHistory: listOf(members({ id: text, status: text, timestamp: time, "error?": text })),
  "input?": object,
  "output?": anything,
  "error?": anything,
  "abortPayload?": anything,
  duration: whole,
  "interimResults?": listOf(members({ id: text, timestamp: time, data: anything })),
  "compensation?": members({ status: text, attempt: whole, max_attempts: whole, timestamp: time }),
  "compensationHistory?": listOf(members({ id: text, status: text, attempt: whole, timestamp: time })),
  isRevertible: flag,
})

/** Everything that goes over the API, as JSON Schema: the OpenAPI document has them by these names. */
export const SHAPES = {
  Error: members({ error: members({ kind: text, "code?": text, "param?": text, message: text }) }),
  Nothing: { type: "object", maxProperties: 0 },
  Readiness: members({ status: { enum: ["ready", "unavailable"] }, "reason?": text }),
  NewProject: members({
    "name?": text,
    "webhooks?": listOf(text),
    "compensationFailureWebhooks?": listOf(text),
  }),
  Project: members({
    id: text,
    name: text,
    apiKey: text,
    additionalAPIKeys: listOf(text),
    webhooks: listOf(text),
    compensationFailureWebhooks: listOf(text),
    webhookSecret: text,
    createdAt: time,
    updatedAt: time,
  }),
  ProjectItem: members({ id: text, name: text, createdAt: time, updatedAt: time }),
  NewKey: members({ "scopes?": { ...listOf({ enum: SCOPES }), minItems: 1 }, "expiresAt?": time }),
  CreatedKey: members({
    id: text,
    apiKey: text,
    createdAt: time,
    scopes: listOf({ enum: SCOPES }),
    "expiresAt?": time,
  }),
  Key: members({ id: text, createdAt: time, scopes: listOf({ enum: SCOPES }), "expiresAt?": time }),
  Webhook: members({ url: text }),
  Delivery: members({
    id: text,
    url: text,
    state: { enum: DELIVERY_STATUSES },
    event: text,
    eventId: text,
    orchestrationId: text,
    tried: whole,
    attempts: listOf(members({ timestamp: time, ms: whole, "answered?": whole, "error?": text })),
    createdAt: time,
    updatedAt: time,
    "body?": object,
  }),
  DeliveryList: members({ items: listOf(ref("Delivery")), "cursor?": text }),
  NewService: members({
    "id?": { type: ["string", "null"] },
    name: text,
    description: text,
    schema: members({ input: object, output: object }),
    "revertible?": flag,
  }),
  RegisteredService: members({
    id: text,
    name: text,
    status: { const: "registered" },
    revertible: flag,
    version: whole,
  }),
  Service: members({
    id: text,
    name: text,
    status: text,
    revertible: flag,
    version: whole,
    kind: { enum: ["service", "agent"] },
    description: text,
    schema: members({ input: object, output: object }),
    healthy: flag,
  }),
  NewOrchestration: members({
    action: members({ "type?": text, content: text }),
    "data?": listOf(members({ field: text, value: anything })),
    "timeout?": { type: ["string", "integer"] },
    "healthCheckGracePeriod?": { type: ["string", "integer"] },
  }),
  CreatedOrchestration: members({
    id: text,
    projectID: text,
    action: members({ type: text, content: text }),
    data: listOf(members({ field: text, value: anything })),
    plan: members({ tasks: listOf(planTask), parallel_groups: listOf(listOf(text)) }),
    results: { type: "null" },
    status: { enum: STATUSES },
    timestamp: time,
    "timeout?": text,
    "healthCheckGracePeriod?": text,
    taskZero: members({ id: text, input: object }),
    "groundingHit?": object,
  }),
  ListedOrchestration: members({
    id: text,
    action: text,
    status: { enum: STATUSES },
    "error?": anything,
    timestamp: time,
    "compensation?": members({ active: whole, total: whole, completed: whole, failed: whole }),
  }),
  OrchestrationList: {
    anyOf: [
      members({ items: listOf(ref("ListedOrchestration")), "cursor?": text }),
      {
        ...members({
          "pending?": listOf(ref("ListedOrchestration")),
          "processing?": listOf(ref("ListedOrchestration")),
          "completed?": listOf(ref("ListedOrchestration")),
          "failed?": listOf(ref("ListedOrchestration")),
          "notActionable?": listOf(ref("ListedOrchestration")),
          "aborted?": listOf(ref("ListedOrchestration")),
          "cancelled?": listOf(ref("ListedOrchestration")),
        }),
        additionalProperties: false,
      },
    ],
  },
  Inspection: members({
    id: text,
    status: { enum: STATUSES },
    action: text,
    timestamp: time,
    "error?": anything,
    "abortInfo?": members({ taskId: text, serviceId: text, serviceName: text, "payload?": anything }),
    "tasks?": listOf(inspectedTask),
    "results?": listOf(anything),
    "resultsByTask?": object,
    "taskZero?": object,
    "planning?": object,
    duration: whole,
  }),
  LogEntry: members({ number: whole, hash: text, at: whole, type: text, "task?": text }),
  Log: {
    anyOf: [
      members({
        id: text,
        status: { enum: STATUSES },
        "plan?": members({ taskZero: object, tasks: listOf(object) }),
        entries: listOf(ref("LogEntry")),
        "cursor?": text,
      }),
      ref("Verification"),
    ],
  },
  Verification: members({
    id: text,
    isWhole: flag,
    entries: whole,
    "head?": text,
    "brokenAt?": whole,
    differences: listOf(members({ entry: whole, code: text, message: text })),
  }),
  Pddl: members({ domain: text, problem: text, plan: text }),
  AuditEntry: members({
    number: whole,
    hash: text,
    at: whole,
    by: text,
    action: text,
    "subject?": text,
    status: whole,
    "code?": text,
  }),
  Audit: {
    anyOf: [
      members({ items: listOf(ref("AuditEntry")), "cursor?": text }),
      members({ isWhole: flag, entries: whole, "head?": text, "brokenAt?": whole }),
    ],
  },
  Cancelled: members({ id: text, status: { enum: STATUSES } }),
  Grounding: members({
    name: text,
    domain: text,
    version: text,
    useCases: { ...listOf(object), minItems: 1 },
    "constraints?": listOf(anything),
    "projectID?": text,
  }),
  GroundingTrial: members({
    useCase: text,
    action: text,
    isPlanned: flag,
    "tasks?": listOf(members({ id: text, service: text, service_name: text, input: object })),
    "error?": text,
  }),
  FailedCompensation: members({
    id: text,
    projectId: text,
    orchestrationId: text,
    taskId: text,
    serviceId: text,
    serviceName: text,
    compensationData: members({ data: anything, context: anything, ttl: whole }),
    status: { enum: ["failed", "expired"] },
    resolutionState: text,
    "failure?": text,
    "resolution?": text,
    attemptsMade: whole,
    maxAttempts: whole,
    timestamp: time,
    resolvedAt: time,
  }),
  Reason: members({ "reason?": text }),
} as const satisfies Readonly<Record<string, JsonObject>>

export type ShapeName = keyof typeof SHAPES
