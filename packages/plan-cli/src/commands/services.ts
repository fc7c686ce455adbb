import type { Command } from "commander"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { short, table } from "../text.ts"

interface Service {
  readonly id: string
  readonly name: string
  readonly kind: "service" | "agent"
  readonly version: number
  readonly revertible: boolean
  readonly healthy: boolean
  readonly description: string
}

/** `services`: what plans are made of. */
export function serviceCommands(program: Command, act: Act): void {
  const services = program.command("services").description("the services and agents of the project")
  services
    .command("ls")
    .description("the services and agents, and whether they are connected")
    .action(
      act(async (cli) => {
        cli.show(await servicesOf(cli), (shown) =>
          shown.length === 0
            ? "There is none yet: a service registers itself when it starts, with a key of orra api-keys gen."
            : table(
                ["ID", "NAME", "KIND", "VERSION", "HEALTH", "REVERTIBLE", "DESCRIPTION"],
                shown.map((each) => [
                  each.id,
                  each.name,
                  each.kind,
                  String(each.version),
                  each.healthy ? cli.paint("green", "● connected") : cli.paint("red", "✕ away"),
                  each.revertible ? "yes" : "no",
                  short(each.description, 50),
                ]),
              ),
        )
      }),
    )
  services
    .command("rm")
    .description("remove a service: no plan uses it any more")
    .argument("<name or id>")
    .action(
      act(async (cli, nameOrId: string) => {
        const id = await idOf(cli, nameOrId)
        await cli.api().request("DELETE", `/services/${encodeURIComponent(id)}`)
        cli.show({ removed: id }, (shown) => `${shown.removed} is removed.`)
      }),
    )
}

/** By their names. */
const servicesOf = async (cli: Cli): Promise<readonly Service[]> =>
  (await cli.api().request<readonly Service[]>("GET", "/services")).toSorted(
    (a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id),
  )

async function idOf(cli: Cli, nameOrId: string): Promise<string> {
  const found = (await servicesOf(cli)).filter(({ id, name }) => id === nameOrId || name === nameOrId)
  const [one, ...more] = found
  if (one && more.length === 0) return one.id
  if (!one)
    throw new CliError("service_unknown", `There is no service "${nameOrId}".`, "See them: orra services ls")
  throw new CliError(
    "service_ambiguous",
    `There are ${found.length} services "${nameOrId}".`,
    `Say which by its id: ${found.map(({ id }) => id).join(", ")}`,
  )
}
