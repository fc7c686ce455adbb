import { request } from "../api/http.ts"
import type { AgentList, OwnAgent } from "./use-agents.ts"

/** What the owner is told of all agents. Others get the list alone. */
export interface AllAgents extends AgentList<OwnAgent> {
  /** The configuration file, where there is one. */
  readonly file?: string | null
  /** Of the page, but out of use: the file has one of the same name. */
  readonly hidden?: readonly Omit<OwnAgent, "personality" | "can" | "asks">[]
  /** The names of all tools there are. */
  readonly tools?: readonly string[]
}

/** What is written in the form. */
export interface AgentForm {
  readonly name: string
  readonly personality: string
  readonly system_prompt: string
  readonly model: string
  readonly tools: readonly string[]
}

const agent = (id: string): string => `/api/agents/${encodeURIComponent(id)}`

/** The server's routes about agents. Each answers with all of them, and throws ApiError. */
export const agentsApi = {
  list: (signal?: AbortSignal) => request<AllAgents>("GET", "/api/agents", undefined, signal),
  create: (form: AgentForm) => request<AllAgents>("POST", "/api/agents", form),
  change: (id: string, version: number, form: AgentForm) =>
    request<AllAgents>("PUT", agent(id), { ...form, version }),
  remove: (id: string) => request<AllAgents>("DELETE", agent(id)),
  setDefault: (name: string) => request<AllAgents>("PUT", "/api/agents/default", { name }),
}
