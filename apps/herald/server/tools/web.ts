import { InvalidInput } from "@orra/core"
import { braveSearch, type SearchProvider, searxngSearch, tavilySearch, webTools } from "@orra/web"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

/**
 * The tools that reach the web, as the configuration has them.
 *
 * @throws InvalidInput when searching is on and what it needs is not there.
 */
export function heraldWeb({ tools }: Config): ToolFamily {
  const isOn = { web_fetch: tools.web_fetch, read_url: tools.browser, web_search: tools.web_search }
  const all = webTools(tools.web_search ? { search: searchOf(tools) } : {})
  const on = Object.entries(isOn).flatMap(([name, is]) => (is ? [name] : []))
  return { tools: all.filter(({ definition }) => on.includes(definition.name)) }
}

function searchOf(tools: Config["tools"]): SearchProvider {
  const { web_search_provider: provider, web_search_api_key: apiKey, web_search_url: url } = tools
  if (provider === "searxng") {
    if (url === undefined)
      throw new InvalidInput("tools.web_search with searxng needs its address: set tools.web_search_url.")
    return searxngSearch({ url })
  }
  if (apiKey === undefined)
    throw new InvalidInput(`tools.web_search with ${provider} needs a key: set tools.web_search_api_key.`)
  return provider === "brave" ? braveSearch({ apiKey }) : tavilySearch({ apiKey })
}
