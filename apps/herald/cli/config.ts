import { existsSync } from "node:fs"
import { join } from "node:path"
import { MemoryStore, OrraError } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { Agents } from "../server/agents/agents.ts"
import type { Environment } from "../server/config/expand.ts"
import { type LoadedConfig, SAVED } from "../server/config/load.ts"
import { effectiveSettings, sections } from "../server/config/summary.ts"
import { systemKeychain } from "../server/provider/keychain.ts"
import { ProviderService } from "../server/provider/service.ts"
import { openVault } from "../server/provider/vault.ts"
import { LiveConfig } from "../server/settings/live.ts"
import { SavedSettings } from "../server/settings/saved.ts"

export interface ConfigTask {
  readonly type: "config"
  readonly section?: string
}

/**
 * Every value that is in effect, in the form of the file, each with where it comes from. Herald may be running.
 *
 * @throws OrraError (`config_section`) for a section that is none.
 */
export async function shownConfig(
  fromFile: LoadedConfig,
  { section }: Pick<ConfigTask, "section">,
  env: Environment,
): Promise<string> {
  if (section !== undefined && !sections().includes(section)) {
    const known = sections().join(", ")
    throw new OrraError("config_section", `There is no section "${section}": there are ${known}.`)
  }
  const database = join(fromFile.dataDir, "herald.db")
  const disk = existsSync(database) ? await sqliteStore({ path: database }) : undefined
  const store = disk ?? new MemoryStore()
  try {
    const keeping = {
      records: store.records("settings"),
      vault: openVault(fromFile.dataDir, systemKeychain(env)),
      hide: () => {},
    }
    const live = new LiveConfig(fromFile, await SavedSettings.open(keeping))
    const { config, origins, file, dataDir, notices } = live.loaded
    const name = file ?? "no file"
    const where = (key: string): string => {
      const origin = origins.get(key)
      if (origin === undefined) return "default"
      return origin.startsWith("line ") ? `${name}, ${origin}` : origin
    }
    const service = await ProviderService.start({ ...keeping, loaded: live.loaded, env })
    const { model, type, apiUrl, sourceLabel, notices: advice } = service.state()
    const agents = (await Agents.open(store.records("agents"), live.loaded)).list()
    const ofPage = agents.filter(({ origin }) => origin === "page").map((agent) => agent.name)
    return `${[
      "# What is in effect: the defaults, over them what the page saved, over that the file, then environment and flags.",
      `# configuration  ${name}`,
      `# data           ${dataDir}`,
      `# model          ${model} (${apiUrl ?? type}), key: ${sourceLabel}`,
      ...(ofPage.length > 0 ? [`# agents         also, from ${SAVED}: ${ofPage.join(", ")}`] : []),
      ...[...notices.map(({ line, message }) => `line ${line}: ${message}`), ...live.notices, ...advice].map(
        (notice) => `# note           ${notice}`,
      ),
      "",
      ...effectiveSettings(config, { get: where }, section),
    ].join("\n")}\n`
  } finally {
    await disk?.close()
  }
}
