import { MemoryStore } from "@orra/core"
import type { Environment } from "../server/config/expand.ts"
import type { LoadedConfig } from "../server/config/load.ts"
import { effectiveSettings } from "../server/config/summary.ts"
import { policyRemarks } from "../server/policy/remarks.ts"
import { claudeLogin } from "../server/provider/claude-login.ts"
import { resolveProvider, sourceLabel } from "../server/provider/resolve.ts"
import { fileJobLines } from "../server/schedules/file-jobs.ts"
import { buildTools } from "../server/tools/tools.ts"

/** How long MCP servers are waited for: whoever checks wants to know, and the first start of one may load it first. */
const SERVER_WAIT_MS = 30_000

/** What `--check` prints: where things are, what is in effect, what is not there yet. Looks, and changes nothing. */
export async function check(
  loaded: LoadedConfig,
  io: { readonly env: Environment; readonly version: string },
): Promise<string> {
  const { config, origins, file, dataDir, notices } = loaded
  const login = await claudeLogin({ env: io.env })
  const resolution = resolveProvider({
    config,
    origins,
    env: io.env,
    login,
    saved: undefined,
  })
  const { settings, isConfigured, notices: advice } = resolution
  const key = isConfigured
    ? `key: ${sourceLabel(resolution)}`
    : "no key here; one saved from the web page is only looked at when Herald starts"
  const toolbox = await buildTools(loaded, "UTC", new MemoryStore(), { waitMs: SERVER_WAIT_MS })
  await toolbox.close()
  const names = new Set(
    [...toolbox.tools, ...toolbox.registry.list()].map(({ definition }) => definition.name),
  )
  const remarks = [
    ...notices.map(({ line, message }) => `line ${line}: ${message}`),
    ...advice,
    ...toolbox.remarks,
    ...policyRemarks(config, names),
  ]
  return `${[
    `Herald ${io.version}`,
    `configuration  ${file ?? "none, all defaults"}`,
    `data           ${dataDir}`,
    `model          ${settings.model} (${settings.type}${settings.apiUrl ? `, ${settings.apiUrl}` : ""}), ${key}`,
    `tools on       ${[...names].join(", ")}`,
    ...fileJobLines(config, Date.now()).map((line) => `job            ${line}`),
    ...remarks.map((remark) => `note           ${remark}`),
    "",
    ...effectiveSettings(config, origins),
  ].join("\n")}\n`
}
