import { useQuery } from "@tanstack/react-query"
import { request } from "../api/http.ts"

/** Somebody who can be asked. */
export interface Agent {
  readonly name: string
  readonly personality: string
  /** The names of the tools it may use for whoever is logged in. */
  readonly can: readonly string[]
  /** Those of them that somebody has to allow each time. */
  readonly asks: readonly string[]
  /** Null: that of Herald. */
  readonly model: string | null
}

/** What the owner sees of an agent besides. */
export interface OwnAgent extends Agent {
  /** Null: it is not of the page, and not changed there. */
  readonly id: string | null
  readonly version: number | null
  readonly origin: "file" | "page" | "built_in" | "peer"
  readonly system_prompt: string | null
  readonly tools: readonly string[]
}

export interface AgentList<A extends Agent = Agent> {
  readonly default: string
  readonly agents: readonly A[]
}

export const AGENTS_KEY = ["agents"]
const NONE: AgentList = { default: "", agents: [] }

/** Those who can be asked here, the default first. */
export function useAgents(): AgentList & { readonly find: (name: string) => Agent | undefined } {
  const { data = NONE } = useQuery({
    queryKey: AGENTS_KEY,
    queryFn: ({ signal }) => request<AgentList>("GET", "/api/agents", undefined, signal),
    staleTime: 60_000,
    // They are changed in other tabs and by other people.
    refetchOnWindowFocus: true,
  })
  return { ...data, find: (name) => data.agents.find((each) => isSame(each.name, name)) }
}

export const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
