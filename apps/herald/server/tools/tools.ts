import type { PolicyLayer, Tool } from "@orra/core"
import type { Config } from "../config/settings.ts"
import { currentTime } from "./current-time.ts"

/** The tools that are on, by name. */
export const toolNames = ({ tools }: Config): readonly string[] => [
  "current_time",
  ...(tools.web_fetch ? ["web_fetch"] : []),
]

/** The tools that are on. They only read. */
export async function buildTools(config: Config, zone: string): Promise<readonly Tool[]> {
  const names = new Set(toolNames(config))
  const { webTools } = await import("@orra/web")
  return [currentTime({ zone }), ...webTools()].filter(({ definition }) => names.has(definition.name))
}

/** Reading is allowed, on this machine and on the public web; whatever else there may be is not. */
export const POLICY: PolicyLayer = { allow: ["risk:read", "web_fetch"], default: "deny" }
