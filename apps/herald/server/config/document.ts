// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the page explains this syntax.

import type { Fields, Node } from "./field.ts"
import { AT_START, LIVE } from "./live-keys.ts"
import { settings } from "./settings.ts"
import { isField } from "./summary.ts"

/** The reference page of the configuration, in Markdown. */
export function configurationPage(): string {
  const top = Object.fromEntries(Object.entries(settings).filter(([, node]) => isField(node)))
  const sections = Object.entries<Node>(settings).filter(([, node]) => !isField(node))
  return `${[
    "# Configuration",
    "",
    "Generated from `apps/herald/server/config/settings.ts`; a test keeps the two the same.",
    "",
    ...INTRODUCTION,
    "",
    "## Keys outside of sections",
    "",
    ...fieldTable(top),
    ...sections.flatMap(([name, node]) => (isField(node) ? [] : sectionPart(name, node))),
    "",
    "## Different from the original",
    "",
    "Files written for the original Herald (0.0.9) are read; `--check` names what has to be changed, such as names where ids are needed. These keys mean something safer or truer now:",
    "",
    "| Key | The original | Here |",
    "| --- | --- | --- |",
    ...differences(settings, ""),
    "",
    "Also different: an unknown key or section is an error (it was ignored), `${NAME}` is filled in after the file is parsed (it was text before, so that a variable could add keys), and nothing ever writes the file.",
  ].join("\n")}\n`
}

const LIVE_NOW = `${LIVE.map((section) => `\`[${section}]\``).join(", ")} (but not ${AT_START.map((name) => `\`${name}\``).join(", ")})`

const INTRODUCTION = [
  "Herald reads `assistant.toml` of the directory it is started in, or the file named with `--config`. No file is fine: then every value is its default. Herald never writes to it; what is set in the web page is kept in the data directory, its secrets in the system's keychain or encrypted.",
  "",
  "- In effect is: the default; over it what the page saved; over that the file; over that the environment (`HERALD_DATA_DIR`) and flags. What the file says the page shows as the file's, and does not change.",
  "- `herald config` shows every value that is in effect and where it comes from, `herald config tools` those of a section; secrets are not shown. `herald --check` says what is wrong, with lines, and which tools are on. In a checkout it is `npm start -- config`.",
  `- The file is read again on SIGHUP (\`kill -HUP\`), or when the owner says so in the page under Settings, This Herald. It is taken whole or not at all: a file with a mistake, or one that is gone, changes nothing, and the log and the page say why. At once change ${LIVE_NOW}; of anything else Herald says that it needs a restart.`,
  '- Text may hold `${NAME}` from the environment, or `${NAME:-default}`. `$${` stands for `${`. A number or boolean may be written as `"${NAME}"` too. A secret whose variable is not set counts as not set; for any other key that is an error. What is typed into the page is taken as it is.',
  "- Relative paths begin where Herald was started.",
]

function sectionPart(path: string, node: Exclude<Node, { kind: "text" }>): string[] {
  if (node.kind !== "section" && node.kind !== "list") return []
  const title = node.kind === "list" ? `[[${path}]]` : `[${path}]`
  const nested = Object.entries(node.fields).filter(([, inner]) => !isField(inner))
  const own = Object.fromEntries(Object.entries(node.fields).filter(([, inner]) => isField(inner)))
  return [
    "",
    `## \`${title}\``,
    "",
    node.doc,
    "",
    ...(Object.keys(own).length > 0 ? fieldTable(own) : []),
    ...nested.flatMap(([name, inner]) => sectionPart(`${path}.${name}`, inner as never)),
  ]
}

const fieldTable = (fields: Fields): string[] => [
  "| Key | Type | Default | |",
  "| --- | --- | --- | --- |",
  ...Object.entries(fields).flatMap(([name, node]) => (isField(node) ? [row(name, node)] : [])),
]

function row(name: string, node: Extract<Node, { default: unknown }>): string {
  const later = node.later === undefined ? "" : ` *${capital(node.later)}.*`
  const initial = node.required
    ? "required"
    : node.default === undefined
      ? ""
      : `\`${JSON.stringify(node.default)}\``
  const type = node.choices ? node.choices.map((option) => `\`"${option}"\``).join(", ") : TYPES[node.kind]
  return `| \`${name}\` | ${type} | ${initial} | ${node.doc}${later} |`
}

const TYPES = {
  text: "text",
  secret: "text, secret",
  path: "path",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  choice: "choice",
  texts: "list of texts",
  secrets: "table of texts, secret",
  matchers: "table of arguments",
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function differences(fields: Fields, path: string): string[] {
  return Object.entries(fields).flatMap(([key, node]) => {
    const name = path ? `${path}.${key}` : key
    if (!isField(node)) return differences(node.fields, name)
    if (node.was === undefined) return []
    const now = node.default === undefined ? node.doc : `\`${JSON.stringify(node.default)}\`. ${node.doc}`
    return [`| \`${name}\` | ${node.was} | ${now} |`]
  })
}

/** A file to start from: every key that has an effect, commented out, with its default or an example. */
export function exampleFile(): string {
  const top = Object.fromEntries(Object.entries(settings).filter(([, node]) => isField(node)))
  return `${[
    "# Herald's configuration: copy it to assistant.toml. All of it is optional; what stands here are the defaults.",
    "# docs/herald/configuration.md has the rest.",
    "",
    ...exampleFields("", top),
    ...Object.entries<Node>(settings).flatMap(([name, node]) => exampleSection(name, node)),
  ].join("\n")}\n`
}

function exampleSection(path: string, node: Node): string[] {
  if (isField(node)) return []
  return [
    "",
    `# ${node.doc}`,
    // An empty list entry would lack what it must have; an empty section is nothing.
    node.kind === "list" ? `# [[${path}]]` : `[${path}]`,
    ...exampleFields(path, node.fields),
    ...Object.entries(node.fields).flatMap(([name, inner]) => exampleSection(`${path}.${name}`, inner)),
  ]
}

const exampleFields = (path: string, fields: Fields): string[] =>
  Object.entries(fields).flatMap(([name, node]) =>
    isField(node) && node.later === undefined
      ? [`# ${node.doc}`, `# ${name} = ${exampleValue(path, name, node)}`]
      : [],
  )

function exampleValue(path: string, name: string, node: Extract<Node, { default: unknown }>): string {
  if (node.kind === "secret") return `"\${${`${path}_${name}`.replaceAll(".", "_").toUpperCase()}}"`
  if (node.required && node.example === undefined) return `"${name}"`
  if (node.example !== undefined) return JSON.stringify(node.example)
  if (node.default === undefined) return node.kind === "number" || node.kind === "integer" ? "1" : '""'
  return JSON.stringify(node.default)
}
