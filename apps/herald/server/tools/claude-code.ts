import { claudeCode } from "@orra/claude-code"
import type { SessionStore } from "@orra/core"
import type { LoadedConfig } from "../config/load.ts"
import type { ToolFamily } from "./tools.ts"
import { workFolders } from "./work-folders.ts"

/** Claude Code as the configuration has it: in a folder of each person's own, the one `exec` works in. */
export function heraldClaudeCode(
  { config, dataDir }: Pick<LoadedConfig, "config" | "dataDir">,
  store: Pick<SessionStore, "records">,
): ToolFamily {
  const { tools } = config
  const folderOf = workFolders({ config, dataDir }, tools.claude_code_working_directory)
  const all = claudeCode({
    directory: folderOf,
    store,
    allowedTools: tools.claude_code_allowed_tools,
    maxTurns: tools.claude_code_max_turns,
    maxUsd: tools.claude_code_max_usd,
    timeoutMs: tools.claude_code_timeout_secs * 1_000,
    skipPermissions: tools.claude_code_skip_permissions,
  })
  return {
    tools: all,
    remarks: ["claude_code: it works by rules of its own, and can read and run what Herald can"],
  }
}
