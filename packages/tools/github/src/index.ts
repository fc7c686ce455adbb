import type { Tool } from "@orra/core"
import { type ConnectionOptions, connect } from "./client.ts"
import { issueTools } from "./issues.ts"
import { pullRequestTools } from "./pull-requests.ts"
import { readRepositories } from "./repositories.ts"

export type { ConnectionOptions } from "./client.ts"
export { GitHubError, type GitHubErrorCode } from "./errors.ts"

export interface GitHubToolsOptions extends ConnectionOptions {
  /**
   * The repositories that may be touched, as `owner/name`. The first one is meant where a call names none; a single
   * one is not offered as a choice.
   */
  readonly repositories: readonly string[]
}

/**
 * The tools for issues and pull requests of these repositories, and of no others.
 *
 * ```ts
 * const tools = githubTools({ auth: process.env.GITHUB_TOKEN, repositories: ["acme/rockets"] })
 * ```
 *
 * Reading has risk `network` and is marked as written by strangers; the rest has risk `write`.
 *
 * @throws InvalidInput for no repository, or a name that is not `owner/name`.
 */
export function githubTools(options: GitHubToolsOptions): readonly Tool[] {
  const github = { repositories: readRepositories(options.repositories), client: connect(options) }
  return [...issueTools(github), ...pullRequestTools(github)]
}
