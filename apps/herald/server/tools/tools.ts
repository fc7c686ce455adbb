import type { Hooks, PolicyLayer, Tool } from "@orra/core"
import type { LoadedConfig } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { currentTime } from "./current-time.ts"

/** The tools that are on, by name. */
export const toolNames = ({ tools }: Config): readonly string[] => [
  "current_time",
  ...(tools.web_fetch ? ["web_fetch"] : []),
  ...(tools.filesystem ? ["read_file", "list_dir", "search"] : []),
  ...(tools.filesystem && tools.filesystem_write !== "deny" ? ["write_file", "edit_file"] : []),
  ...(tools.exec ? ["exec"] : []),
]

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

/** The tools that are on. Of another package only what is on is loaded. */
export async function buildTools(
  loaded: Pick<LoadedConfig, "config" | "dataDir" | "file">,
  zone: string,
): Promise<Toolbox> {
  const names = new Set(toolNames(loaded.config))
  const { webTools } = await import("@orra/web")
  const exec = names.has("exec") ? (await import("./exec.ts")).heraldExec(loaded) : undefined
  const files = names.has("read_file") ? (await import("./filesystem.ts")).heraldFiles(loaded) : undefined
  const tools = [currentTime({ zone }), ...webTools(), ...(files?.tools ?? []), ...(exec ? [exec.tool] : [])]
  return {
    tools: tools.filter(({ definition }) => names.has(definition.name)),
    hooks: exec ? [exec.hooks] : [],
    policy: policyWith([files?.policy, exec?.policy].filter((layer) => layer !== undefined)),
    remarks: [...(files?.remarks ?? []), ...(exec?.remarks ?? []).map((line) => `exec: ${line}`)],
  }
}

/** Reading is allowed, on this machine and on the public web; what else is on as its own rules say; all else is not. */
function policyWith(layers: readonly PolicyLayer[]): PolicyLayer {
  const rules = (decision: "deny" | "ask" | "allow") => layers.flatMap((layer) => layer[decision] ?? [])
  return {
    deny: rules("deny"),
    ask: rules("ask"),
    allow: ["risk:read", "web_fetch", ...rules("allow")],
    default: "deny",
  }
}
