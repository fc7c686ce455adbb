import type { Hooks, PolicyLayer, SessionStore, Tool } from "@orra/core"
import type { LoadedConfig } from "../config/load.ts"
import { currentTime } from "./current-time.ts"

/** The tools that are on, with what they need of a runtime. */
export interface Toolbox {
  readonly tools: readonly Tool[]
  /** After all others that look at calls. */
  readonly hooks: readonly Hooks[]
  /** For everybody who may talk to this Herald. */
  readonly policy: PolicyLayer
  /** What a person should know of them, one line each. */
  readonly remarks: readonly string[]
}

/** Some of them. Without a policy all of its tools are allowed. */
export type ToolFamily = Pick<Toolbox, "tools"> & Partial<Toolbox>

/** The tools that are on. Of another package only what is on is loaded. */
export async function buildTools(
  loaded: Pick<LoadedConfig, "config" | "dataDir" | "file">,
  zone: string,
  store: Pick<SessionStore, "records">,
): Promise<Toolbox> {
  const { tools, github } = loaded.config
  const families: ToolFamily[] = [{ tools: [currentTime({ zone })] }]
  if (tools.web_fetch || tools.browser || tools.web_search)
    families.push((await import("./web.ts")).heraldWeb(loaded.config))
  if (tools.filesystem) families.push((await import("./filesystem.ts")).heraldFiles(loaded))
  if (tools.exec) families.push((await import("./exec.ts")).heraldExec(loaded))
  if (tools.claude_code) families.push((await import("./claude-code.ts")).heraldClaudeCode(loaded, store))
  if (github.repositories.length > 0) families.push((await import("./github.ts")).heraldGitHub(loaded.config))
  return {
    tools: families.flatMap((family) => family.tools),
    hooks: families.flatMap((family) => family.hooks ?? []),
    policy: policyOf(families),
    remarks: families.flatMap((family) => family.remarks ?? []),
  }
}

/** What is on is allowed, or as its own rules say; all else is not. */
function policyOf(families: readonly ToolFamily[]): PolicyLayer {
  const layers = families.map(({ tools, policy }) => policy ?? { allow: tools.map(nameOf) })
  const rules = (decision: "deny" | "ask" | "allow") => layers.flatMap((layer) => layer[decision] ?? [])
  return { deny: rules("deny"), ask: rules("ask"), allow: rules("allow"), default: "deny" }
}

const nameOf = ({ definition }: Tool): string => definition.name
