import { OrraError } from "@orra/core"
import { Agents } from "../server/agents/agents.ts"
import type { Environment } from "../server/config/expand.ts"
import { type LoadedConfig, SAVED } from "../server/config/load.ts"
import { effectiveSettings, sections } from "../server/config/summary.ts"
import { withEffective } from "./effective.ts"

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
  return await withEffective(fromFile, env, async ({ live, service, store }) => {
    const { config, origins, file, dataDir, notices } = live.loaded
    const name = file ?? "no file"
    const where = (key: string): string => {
      const origin = origins.get(key)
      if (origin === undefined) return "default"
      return origin.startsWith("line ") ? `${name}, ${origin}` : origin
    }
    const { model, type, apiUrl, sourceLabel, notices: advice } = service.state()
    const agents = (await Agents.open(store.records("agents"), live.loaded)).list()
    const ofPage = agents.filter(({ origin }) => origin === "page").map((agent) => agent.name)
    const remarks = [
      ...notices.map(({ line, message }) => `line ${line}: ${message}`),
      ...live.notices,
      ...advice,
    ]
    return `${[
      "# What is in effect: the defaults, over them what the page saved, over that the file, then environment and flags.",
      `# configuration  ${name}`,
      `# data           ${dataDir}`,
      `# model          ${model} (${apiUrl ?? type}), key: ${sourceLabel}`,
      ...(ofPage.length > 0 ? [`# agents         also, from ${SAVED}: ${ofPage.join(", ")}`] : []),
      ...remarks.map((remark) => `# note           ${remark}`),
      // One section begins with a line of its own.
      ...(section === undefined ? [""] : []),
      ...effectiveSettings(config, { get: where }, section),
    ].join("\n")}\n`
  })
}
