import { InvalidInput } from "@orra/core"
import { planTool } from "@orra/plan-sdk/tool"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

/**
 * Plans across services, as the configuration has it: what services do nobody takes back lightly, so a person is asked first.
 *
 * @throws InvalidInput without an address or a key.
 */
export function heraldPlans({ plan_engine }: Config): ToolFamily {
  const { url = "", api_key: apiKey, plans, timeout_secs } = plan_engine
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new InvalidInput(`plan_engine.url is "${url}": it begins with http:// or https://.`)
  if (apiKey === undefined)
    throw new InvalidInput("plan_engine.url needs a key of one of its projects: set plan_engine.api_key.")
  const tools = [planTool({ url, apiKey, timeoutMs: timeout_secs * 1_000 })]
  return { tools, policy: { [plans]: ["plan"] } }
}
