import type { Octokit } from "@octokit/rest"
import { informationFrom, type Json, type Tool, type ToolRisk, tool, visibleText } from "@orra/core"
import { githubError } from "./errors.ts"
import { PER_PAGE } from "./listing.ts"
import { chosen, type Repository } from "./repositories.ts"

/** What every tool of the family works with. */
export interface GitHub {
  readonly client: Octokit
  readonly repositories: readonly Repository[]
}

/** Of one call: what every request of it is made with. */
export interface Call {
  readonly client: Octokit
  /** The parameters of every request: the repository, and the signal that ends it. */
  readonly at: { readonly owner: string; readonly repo: string; readonly request: { signal: AbortSignal } }
  readonly repository: Repository
}

interface GitHubToolOptions<Input> {
  readonly name: string
  readonly description: string
  readonly properties: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
  /** `network`: it reads, and what it reads was written by strangers. */
  readonly risk: Extract<ToolRisk, "network" | "write">
  run(input: Input, call: Call): Promise<string>
}

/** A tool that works in one of the repositories, and in no other. */
export function githubTool<Input extends object>(github: GitHub, options: GitHubToolOptions<Input>): Tool {
  const { client, repositories } = github
  const reads = options.risk === "network"
  const names = repositories.map(({ name }) => name)
  return tool<Input & { readonly repository?: string }>({
    name: options.name,
    description: `${options.description} In ${names.length > 1 ? "one of the repositories" : names[0]}.`,
    input: {
      type: "object",
      properties: {
        ...options.properties,
        ...(names.length > 1 && {
          repository: { type: "string", enum: names, description: `Default ${names[0]}.` },
        }),
      },
      required: [...(options.required ?? [])],
      additionalProperties: false,
    },
    risk: options.risk,
    idempotent: reads,
    untrusted: reads,
    timeoutMs: 120_000,
    async execute(input, { signal }) {
      const repository = chosen(repositories, input.repository)
      const { owner, repo } = repository
      try {
        const text = await options.run(input, {
          client,
          repository,
          at: { owner, repo, request: { signal } },
        })
        return reads ? `${FROM_STRANGERS}\n${visibleText(text)}` : text
      } catch (error) {
        throw githubError(error)
      }
    },
  })
}

const FROM_STRANGERS = informationFrom("GitHub, written by its users")

/** Which of them a list has. */
export type ListedState = "open" | "closed" | "all"

/** How many a list has, and how many comments are shown, when nothing is said. */
export const LISTED = 10
export const COMMENTS = 5

/** What several tools ask for. */
export const input = {
  /** Of one issue or pull request. */
  number: { type: "integer", minimum: 1, description: "Its number." },
  /** Of what can be open or closed. */
  state: { type: "string", enum: ["open", "closed", "all"], description: "Default open." },
  limit: {
    type: "integer",
    minimum: 1,
    maximum: PER_PAGE,
    description: `Most to list. Default ${LISTED}.`,
  },
  comments: {
    type: "integer",
    minimum: 0,
    maximum: PER_PAGE,
    description: `How many of the newest comments. Default ${COMMENTS}.`,
  },
  title: { type: "string", minLength: 1, maxLength: 256 },
} as const

/** What GitHub takes as a text. */
export const body = (description: string): Json => ({ type: "string", maxLength: 65_536, description })
