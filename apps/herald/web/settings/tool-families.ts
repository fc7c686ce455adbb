import { words } from "../i18n/en-settings.ts"
import type { Option } from "./value-form.tsx"

/** Tools that belong together. */
export interface ToolFamily {
  readonly title: string
  readonly lead: string
  /** What may come of it, in plain words. */
  readonly risk: string
  readonly switches: readonly { readonly name: string; readonly label: string }[]
  readonly options: readonly Option[]
}

const { web, search, images, files, exec, claudeCode, github, discord, delegation, documents } =
  words.tools.families

/** In the order they are shown: what reads before what acts. */
export const families: readonly ToolFamily[] = [
  {
    ...web,
    switches: [
      { name: "tools.web_fetch", label: web.fetch },
      { name: "tools.browser", label: web.read },
    ],
    options: [],
  },
  {
    ...search,
    switches: [{ name: "tools.web_search", label: search.on }],
    options: [
      {
        name: "tools.web_search_provider",
        label: search.provider,
        kind: "choice",
        choices: search.providers,
      },
      { name: "tools.web_search_api_key", label: search.key, hint: search.keyHint, kind: "secret" },
      { name: "tools.web_search_url", label: search.url, hint: search.urlHint, kind: "text" },
    ],
  },
  { ...documents, switches: [{ name: "tools.documents", label: documents.on }], options: [] },
  {
    ...images,
    switches: [{ name: "tools.image_gen", label: images.on }],
    options: [{ name: "tools.image_gen_api_key", label: images.key, hint: images.keyHint, kind: "secret" }],
  },
  {
    ...files,
    switches: [{ name: "tools.filesystem", label: files.on }],
    options: [
      { name: "tools.filesystem_write", label: files.write, kind: "choice", choices: files.writes },
      { name: "tools.filesystem_base_dir", label: files.base, hint: files.baseHint, kind: "text" },
    ],
  },
  {
    ...exec,
    switches: [{ name: "tools.exec", label: exec.on }],
    options: [
      { name: "tools.exec_allowed_commands", label: exec.allowed, hint: exec.allowedHint, kind: "lines" },
      { name: "tools.exec_isolation", label: exec.isolation, kind: "choice", choices: exec.isolations },
      { name: "tools.exec_network", label: exec.network, kind: "switch" },
      { name: "tools.exec_shell", label: exec.shell, hint: exec.shellHint, kind: "switch" },
    ],
  },
  {
    ...github,
    switches: [],
    options: [
      {
        name: "github.repositories",
        label: github.repositories,
        hint: github.repositoriesHint,
        kind: "lines",
      },
      { name: "github.token", label: github.token, hint: github.tokenHint, kind: "secret" },
      { name: "github.write", label: github.write, kind: "switch" },
    ],
  },
  { ...discord, switches: [{ name: "tools.discord", label: discord.on }], options: [] },
  { ...delegation, switches: [{ name: "tools.delegation", label: delegation.on }], options: [] },
  {
    ...claudeCode,
    switches: [{ name: "tools.claude_code", label: claudeCode.on }],
    options: [
      { name: "tools.claude_code_max_usd", label: claudeCode.usd, kind: "number" },
      {
        name: "tools.claude_code_skip_permissions",
        label: claudeCode.skip,
        hint: claudeCode.skipHint,
        kind: "switch",
      },
    ],
  },
]
