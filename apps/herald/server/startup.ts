import { DEFAULT_FILE, type LoadedConfig } from "./config/load.ts"
import type { ProviderState } from "./provider/service.ts"

/** What a person is told at start: where things are, what is missing, how to get in. */
export function startupLines(parts: {
  readonly loaded: LoadedConfig
  readonly version: string
  readonly state: ProviderState
  readonly url: string
  readonly loginUrl: string
}): readonly string[] {
  const { loaded, version, state, url, loginUrl } = parts
  const { file, dataDir, notices } = loaded
  return [
    `Herald ${version}`,
    `  configuration  ${file ?? `none (no ${DEFAULT_FILE} here), all defaults`}`,
    `  data           ${dataDir}`,
    `  model          ${modelLine(state)}`,
    ...notices.map(({ line, message }) => `  note           ${file}:${line}: ${message}`),
    ...state.notices.map((notice) => `  note           ${notice}`),
    `  address        ${url}`,
    "",
    ...loginLines(loginUrl),
  ]
}

export const loginLines = (loginUrl: string): readonly string[] => [
  "Open this to log in (it works once, and for ten minutes):",
  `  ${loginUrl}`,
]

function modelLine({ configured, model, type, apiUrl, sourceLabel }: ProviderState): string {
  if (!configured) return "none yet: open the page and enter an API key"
  return `${model} (${apiUrl ?? type}), key: ${sourceLabel}`
}
