import { githubTools } from "@orra/github"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

/** GitHub as the configuration has it: what writes is there only when it may. */
export function heraldGitHub({ github }: Config): ToolFamily {
  const all = githubTools({
    repositories: github.repositories,
    ...(github.token !== undefined && { auth: github.token }),
    ...(github.api_url !== undefined && { baseUrl: github.api_url }),
  })
  return { tools: github.write ? all : all.filter(({ risk }) => risk !== "write") }
}
