import { InvalidInput } from "@orra/core"
import { execTool } from "@orra/exec"
import type { LoadedConfig } from "../config/load.ts"
import type { ToolFamily } from "./tools.ts"
import { workFolders } from "./work-folders.ts"

/**
 * `exec` as the configuration has it. Everybody has a folder of their own, in the data directory; the owner's can be
 * another one. Commands on the list run; whatever is not on it needs somebody who agrees.
 *
 * @throws InvalidInput for a command on the list that is none, and a folder with the data directory in it.
 */
export function heraldExec({ config, dataDir }: Pick<LoadedConfig, "config" | "dataDir">): ToolFamily {
  const { tools } = config
  const own = tools.exec_working_directory
  if (own !== undefined && `${dataDir}/`.startsWith(`${own.replace(/\/$/, "")}/`)) {
    throw new InvalidInput(
      `tools.exec_working_directory is "${own}", and the data directory is in it: give another folder.`,
    )
  }
  const folderOf = workFolders({ config, dataDir }, own)
  const exec = execTool({
    directory: folderOf,
    allow: tools.exec_allowed_commands,
    shell: tools.exec_shell ? "ask" : "deny",
    isolation: tools.exec_isolation,
    network: tools.exec_network,
    timeoutMs: tools.exec_timeout_secs * 1_000,
  })
  return {
    tools: [exec.tool],
    hooks: [exec.hooks],
    policy: exec.policy,
    remarks: exec.remarks.map((line) => `exec: ${line}`),
  }
}
