import { type Command, InvalidArgumentError } from "commander"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { table } from "../text.ts"

interface Key {
  readonly id: string
  readonly createdAt: string
  readonly scopes: readonly string[]
  readonly expiresAt?: string
}

interface GenOptions {
  readonly scope?: readonly string[]
  readonly expires?: string
}

/** `api-keys`: what opens a project. The engine has hashes only: their names, and they themselves, are kept here. */
export function keyCommands(program: Command, act: Act): void {
  const keys = program.command("api-keys").description("keys of the project, for services and programs")
  keys
    .command("gen")
    .description("make a key, and keep it here under a name")
    .argument("<name>")
    .option("-s, --scope <scope...>", "what it may do: service, read, orchestrate, admin (default: all)")
    .option("--expires <when>", "when it ends: 2027-01-31, or after so many days: 90d", instant)
    .action(act(generate))
  keys.command("ls").description("the keys; those that were made here are shown whole").action(act(list))
  keys
    .command("revoke")
    .description("make a key open nothing any more")
    .argument("<name or id>")
    .action(act(revoke))
}

async function generate(cli: Cli, name: string, { scope, expires }: GenOptions): Promise<void> {
  const { name: projectName, project } = cli.project()
  if (Object.hasOwn(project.api_key ?? {}, name))
    throw new CliError(
      "key_known",
      `There is a key "${name}" already.`,
      "Take another name: orra api-keys ls",
    )
  const made = await cli.api().request<Key & { readonly apiKey: string }>("POST", "/apikeys", {
    body: { ...(scope && { scopes: scope }), ...(expires !== undefined && { expiresAt: expires }) },
  })
  cli.changeProject(projectName, ({ api_key, api_key_ids }) => ({
    api_key: { ...api_key, [name]: made.apiKey },
    api_key_ids: { ...api_key_ids, [name]: made.id },
  }))
  cli.show({ name, ...made }, (shown) =>
    [`${cli.paint("green", "✔")} The key "${shown.name}" is made.`, `  KEY: ${shown.apiKey}`].join("\n"),
  )
}

async function list(cli: Cli): Promise<void> {
  const { api_key = {}, api_key_ids = {}, cli_auth_id } = cli.project().project
  const known = await cli.api().request<readonly Key[]>("GET", "/apikeys")
  const keys = known.map((key) => {
    const name = Object.entries(api_key_ids).find(([, id]) => id === key.id)?.[0]
    const isOurs = key.id === cli_auth_id
    return {
      ...key,
      ...(name !== undefined && { name, apiKey: api_key[name] }),
      ...(isOurs && { cli: true }),
    }
  })
  // The original kept no ids: of its keys only the name is known, and what they are.
  const others = Object.entries(api_key)
    .filter(([name]) => !Object.hasOwn(api_key_ids, name))
    .map(([name, apiKey]) => ({ name, apiKey }))
  cli.show([...keys, ...others], (all) =>
    table(
      ["NAME", "ID", "CREATED", "SCOPES", "EXPIRES", "KEY"],
      all.map((key) => {
        const { id = "-", createdAt = "-", scopes = [], expiresAt = "-" } = key as Partial<Key>
        const name = "name" in key ? key.name : "cli" in key ? "(this command line)" : "-"
        return [
          name ?? "-",
          id,
          createdAt,
          scopes.join(","),
          expiresAt,
          ("apiKey" in key && key.apiKey) || "-",
        ]
      }),
    ),
  )
}

async function revoke(cli: Cli, nameOrId: string): Promise<void> {
  const { name: projectName, project } = cli.project()
  const { api_key = {}, api_key_ids = {}, cli_auth_id } = project
  const id = Object.hasOwn(api_key_ids, nameOrId) ? (api_key_ids[nameOrId] ?? "") : nameOrId
  if (id === cli_auth_id || (api_key[nameOrId] !== undefined && api_key[nameOrId] === project.cli_auth))
    throw new CliError(
      "key_in_use",
      "This is the key that this command line uses: without it nothing of the project can be reached from here.",
      "Remove the project's services and webhooks instead, or revoke it with another key.",
    )
  if (Object.hasOwn(api_key, nameOrId) && !Object.hasOwn(api_key_ids, nameOrId))
    throw new CliError(
      "key_id_unknown",
      `The id of the key "${nameOrId}" is not known here.`,
      "Find it by its time in orra api-keys ls, and revoke that.",
    )
  await cli.api().request("DELETE", `/apikeys/${encodeURIComponent(id)}`)
  const name = Object.entries(api_key_ids).find(([, each]) => each === id)?.[0]
  if (name !== undefined)
    cli.changeProject(projectName, () => ({
      api_key: without(api_key, name),
      api_key_ids: without(api_key_ids, name),
    }))
  cli.show(
    { revoked: id, ...(name !== undefined && { name }) },
    (shown) => `The key ${shown.name ?? shown.revoked} opens nothing any more.`,
  )
}

const without = (values: Readonly<Record<string, string>>, name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).filter(([each]) => each !== name))

/** RFC 3339, of a date or after days. @throws InvalidArgumentError. */
function instant(text: string): string {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? []
  const at = days === undefined ? Date.parse(text) : Date.now() + Number(days) * 86_400_000
  if (Number.isNaN(at))
    throw new InvalidArgumentError("It is a date such as 2027-01-31, or days such as 90d.")
  return new Date(at).toISOString()
}
