import { readFileSync } from "node:fs"
import type { Command } from "commander"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { table } from "../text.ts"

interface Grounding {
  readonly name: string
  readonly domain: string
  readonly version: string
  readonly useCases: readonly { readonly action: string }[]
  readonly constraints?: readonly unknown[]
}

/** What a use case would be planned as, or why it would not. */
interface Trial {
  readonly action: string
  readonly isPlanned: boolean
  readonly tasks?: readonly { readonly id: string; readonly service_name: string; readonly input: unknown }[]
  readonly error?: string
}

/** `grounding`: what is known of domains, for plans in them. */
export function groundingCommands(program: Command, act: Act): void {
  const grounding = program.command("grounding").description("what is known of domains, for plans in them")
  grounding
    .command("apply")
    .description("apply a grounding of a file, in the place of its other versions")
    .argument("[file]", "YAML or JSON; - is the standard input")
    .option("-f, --file <file>", "the same")
    .action(
      act(async (cli, argument: string | undefined, { file = argument }: { file?: string }) => {
        const yaml = await read(cli, file)
        const applied = await cli.api().request<Grounding>("POST", "/groundings", { yaml })
        cli.show(
          applied,
          ({ name, version, useCases, domain }) =>
            `${cli.paint("green", "✔")} ${name} ${version} holds for ${domain}: ${useCases.length} use cases.`,
        )
      }),
    )
  grounding
    .command("test")
    .description(
      "what each use case of a file would be planned as, with the services there are; nothing is carried out",
    )
    .argument("[file]", "YAML or JSON; - is the standard input")
    .option("-f, --file <file>", "the same")
    .action(
      act(async (cli, argument: string | undefined, { file = argument }: { file?: string }) => {
        const yaml = await read(cli, file)
        const trials = await cli.api().request<readonly Trial[]>("POST", "/groundings/test", { yaml })
        cli.show(trials, (shown) => shown.map((trial) => tried(cli, trial)).join("\n"))
        const failed = trials.filter(({ isPlanned }) => !isPlanned).length
        if (failed > 0)
          throw new CliError(
            "grounding_not_planned",
            `${failed} of ${trials.length} use cases cannot be planned.`,
            "Correct the use case or its constraints, or start the services it needs: orra services ls",
          )
      }),
    )
  grounding
    .command("ls")
    .alias("list")
    .description("the groundings")
    .action(
      act(async (cli) => {
        const all = await cli.api().request<readonly Grounding[]>("GET", "/groundings")
        cli.show(all, (shown) =>
          shown.length === 0
            ? "There is none. Apply one with: orra grounding apply -f <file>"
            : table(
                ["NAME", "DOMAIN", "VERSION", "USE CASES", "CONSTRAINTS"],
                shown.map(({ name, domain, version, useCases, constraints = [] }) => [
                  name,
                  domain,
                  version,
                  String(useCases.length),
                  String(constraints.length),
                ]),
              ),
        )
      }),
    )
  grounding
    .command("rm")
    .alias("remove")
    .description("remove a grounding, or all of them")
    .argument("[name]")
    .option("--all", "all of them")
    .action(
      act(async (cli, name: string | undefined, { all = false }: { all?: boolean }) => {
        if ((name === undefined) !== all)
          throw new CliError("usage", "Say which grounding: a name, or --all.", "See them: orra grounding ls")
        await cli
          .api()
          .request("DELETE", name === undefined ? "/groundings" : `/groundings/${encodeURIComponent(name)}`)
        cli.show({ removed: name ?? "all" }, ({ removed }) =>
          name === undefined ? "No grounding is left." : `${removed} is removed.`,
        )
      }),
    )
}

const tried = (cli: Cli, { action, isPlanned, tasks = [], error = "" }: Trial): string =>
  [
    `${isPlanned ? cli.paint("green", "✔") : cli.paint("red", "✕")} ${action}`,
    ...tasks.map(({ id, service_name, input }) => `  ${id}  ${service_name}  ${JSON.stringify(input)}`),
    ...(isPlanned ? [] : [`  ${error}`]),
  ].join("\n")

/** A file's text: the engine knows YAML, of which JSON is a part. */
async function read(cli: Cli, file: string | undefined): Promise<string> {
  if (file === undefined)
    throw new CliError("usage", "Say which file.", "orra grounding apply -f grounding.yaml")
  try {
    return file === "-" ? await cli.around.stdin() : readFileSync(file, "utf8")
  } catch (error) {
    throw new CliError("file_unreadable", `The file ${file} cannot be read: ${(error as Error).message}.`)
  }
}
