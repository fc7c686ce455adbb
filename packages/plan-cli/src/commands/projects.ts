import type { Command } from "commander"
import { engineApi } from "../api.ts"
import { type Cli, unknownProject } from "../cli.ts"
import { setAsideConfig, writeConfig } from "../config.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { table } from "../text.ts"

const SERVER = "http://localhost:8005"

/** A project, and what opens it. */
interface Opened {
  readonly id: string
  readonly apiKey: string
  readonly keyId?: string | undefined
  readonly webhookSecret?: string
}

async function register(cli: Cli, server: string, name: string): Promise<Opened> {
  const { env, signal } = cli.around
  const admin = env["ORRA_ADMIN_KEY"]
  const asking = engineApi({ server, signal, ...(admin !== undefined && { key: admin }) })
  const { id, apiKey, webhookSecret } = await asking.request<Opened>("POST", "/register/project", {
    body: { name },
  })
  // A project has one key when it is new.
  const keys = engineApi({ server, signal, key: apiKey }).request<readonly { id: string }[]>(
    "GET",
    "/apikeys",
  )
  const keyId = (await keys)[0]?.id
  return { id, apiKey, keyId, ...(webhookSecret !== undefined && { webhookSecret }) }
}

async function adopt(cli: Cli, server: string, apiKey: string): Promise<Opened> {
  const { signal } = cli.around
  const { id } = await engineApi({ server, signal, key: apiKey }).request<Opened>("GET", "/project")
  return { id, apiKey }
}

/** `projects` and `config`: what is known here of projects. */
export function projectCommands(program: Command, act: Act): void {
  const projects = program.command("projects").description("the projects that this command line knows")
  projects
    .command("add")
    .description("register a project with an engine, and keep its key")
    .argument("<name>")
    .option("--server <url>", "where the engine is", SERVER)
    .option(
      "--key <key>",
      "a key of a project that is there already, and is not registered again; - reads it",
    )
    .action(
      act(async (cli, name: string, { server, key }: { server: string; key?: string }) => {
        const config = cli.config()
        if (Object.hasOwn(config.projects, name))
          throw new CliError(
            "project_known",
            `There is a project "${name}" already.`,
            `Take another name, or use it with: orra projects use ${name}`,
          )
        const { id, apiKey, keyId, webhookSecret } = await (key === undefined
          ? register(cli, server, name)
          : adopt(cli, server, key === "-" ? (await cli.around.stdin()).trim() : key))
        const project = {
          id,
          cli_auth: apiKey,
          ...(keyId !== undefined && { cli_auth_id: keyId }),
          server_addr: server,
          api_key: {},
          webhooks: [],
          compensation_failure_webhooks: [],
          ...(webhookSecret !== undefined && { webhook_secret: webhookSecret }),
        }
        const isFirst = Object.keys(config.projects).length === 0
        writeConfig(cli.configPath, {
          ...config,
          ...((isFirst || config.current_project === "") && { current_project: name }),
          projects: { ...config.projects, [name]: project },
        })
        cli.show({ id, name, server }, () =>
          [
            `${cli.paint("green", "✔")} Project "${name}" is ${key === undefined ? "registered" : "known here"}.`,
            `  ID:     ${id}`,
            `  Server: ${server}`,
            "",
            "Next:",
            "  1. Say where results go:          orra webhooks add http://localhost:3000/webhooks",
            "  2. Make a key for your services:  orra api-keys gen my-services",
            '  3. Try an action:                 orra verify run "What is wanted" -d field:value',
          ].join("\n"),
        )
      }),
    )
  projects
    .command("ls")
    .description("the projects; * is before the current one")
    .action(
      act((cli) => {
        const { current_project, projects: known } = cli.config()
        const all = Object.entries(known).map(([name, { id, server_addr: server }]) => ({
          name,
          id,
          server,
          current: name === current_project,
        }))
        cli.show(all, (rows) =>
          rows.length === 0
            ? "There is no project yet. Add one with: orra projects add <name>"
            : table(
                ["", "NAME", "ID", "SERVER"],
                rows.map(({ name, id, server, current }) => [current ? "*" : "", name, id, server]),
              ),
        )
      }),
    )
  projects
    .command("use")
    .description("make a project the current one")
    .argument("<name>")
    .action(
      act((cli, name: string) => {
        const config = cli.config()
        if (!Object.hasOwn(config.projects, name)) throw unknownProject(name, config.projects)
        writeConfig(cli.configPath, { ...config, current_project: name })
        cli.show({ current: name }, () => `The current project is ${name}.`)
      }),
    )

  program
    .command("config")
    .description("the configuration of this command line")
    .command("reset")
    .description("begin anew: the file is moved aside, keys and all")
    .action(
      act((cli) => {
        const movedTo = setAsideConfig(cli.configPath)
        cli.show({ movedTo: movedTo ?? null }, () =>
          movedTo === undefined
            ? "There is no configuration."
            : `The configuration is empty. What it was is in ${movedTo}: it has keys that nobody can read again.`,
        )
      }),
    )
}
