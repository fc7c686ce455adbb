import { MemoryStore } from "@orra/core"
import type { Environment } from "../server/config/expand.ts"
import type { LoadedConfig } from "../server/config/load.ts"
import { effectiveSettings } from "../server/config/summary.ts"
import { exposure } from "../server/listen.ts"
import { policyRemarks } from "../server/policy/remarks.ts"
import { fileJobLines } from "../server/schedules/file-jobs.ts"
import { buildTools } from "../server/tools/tools.ts"
import { withEffective } from "./effective.ts"

/** How long MCP servers are waited for: whoever checks wants to know, and the first start of one may load it first. */
const SERVER_WAIT_MS = 30_000

/** What `--check` prints: where things are, what is in effect, what is not there yet. Looks, and changes nothing. */
export function check(
  fromFile: LoadedConfig,
  { env, version }: { readonly env: Environment; readonly version: string },
): Promise<string> {
  return withEffective(fromFile, env, async ({ live, service }) => {
    const { config, origins, file, dataDir, notices } = live.loaded
    const problem = exposure(config)
    if (problem) throw problem
    const { configured, model, type, apiUrl, sourceLabel, notices: advice } = service.state()
    const key = configured ? `key: ${sourceLabel}` : "no key yet"
    const toolbox = await buildTools(live.loaded, "UTC", new MemoryStore(), { waitMs: SERVER_WAIT_MS })
    await toolbox.close()
    const names = new Set(
      [...toolbox.tools, ...toolbox.registry.list()].map(({ definition }) => definition.name),
    )
    const remarks = [
      ...notices.map(({ line, message }) => `line ${line}: ${message}`),
      ...live.notices,
      ...advice,
      ...toolbox.remarks,
      ...policyRemarks(config, names),
    ]
    return `${[
      `Herald ${version}`,
      `configuration  ${file ?? "none, all defaults"}`,
      `data           ${dataDir}`,
      `model          ${model} (${type}${apiUrl ? `, ${apiUrl}` : ""}), ${key}`,
      `tools on       ${[...names].join(", ")}`,
      ...fileJobLines(config, Date.now()).map((line) => `job            ${line}`),
      ...remarks.map((remark) => `note           ${remark}`),
      "",
      ...effectiveSettings(config, origins),
    ].join("\n")}\n`
  })
}
