import { type Command, Option } from "commander"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { table } from "../text.ts"
import { wholeNumber } from "./runs.ts"

/** The version that an engine says it is, and how long it took. */
async function askHealth(cli: Cli): Promise<{ readonly version: string; readonly ms: number }> {
  const began = performance.now()
  const response = await cli.api().open("GET", "/health")
  await response.arrayBuffer()
  const version = response.headers.get("x-orra-planeengine-version") ?? "unknown"
  return { version, ms: Math.round(performance.now() - began) }
}

async function verifyAudit(cli: Cli): Promise<void> {
  const found = await cli.api().request<Verification>("GET", "/audit", { query: { verify: "1" } })
  cli.show(found, ({ entries, head = "-" }) => `${entries} entries, the last one with the hash ${head}`)
  if (!found.isWhole)
    throw new CliError(
      "audit_broken",
      `The audit trail is not as it was written: entry ${found.brokenAt} does not fit the one before it.`,
      "Whoever can write to the engine's store has changed it.",
    )
}

interface AuditEntry {
  readonly number: number
  readonly at: number
  readonly by: string
  readonly action: string
  readonly subject?: string
  readonly status: number
}

interface Verification {
  readonly isWhole: boolean
  readonly entries: number
  readonly head?: string
  readonly brokenAt?: number
}

/** `audit`, `health` and `version`. */
export function serverCommands(program: Command, act: Act): void {
  program
    .command("audit")
    .description("what was asked of the project, and by which key, the newest first")
    .addOption(new Option("-l, --limit <number>", "so many").argParser(wholeNumber).default(50))
    .option("--verify", "instead whether all of it is there, and as it was written")
    .action(
      act(async (cli, { limit, verify }: { limit: number; verify?: true }) => {
        if (verify) return await verifyAudit(cli)
        const query = { limit: String(Math.min(limit, 500)) }
        const { items } = await cli
          .api()
          .request<{ items: readonly AuditEntry[] }>("GET", "/audit", { query })
        cli.show(items, (shown) =>
          table(
            ["NUMBER", "TIME", "BY", "ACTION", "SUBJECT", "STATUS"],
            shown.map(({ number, at, by, action, subject = "", status }) => [
              String(number),
              new Date(at).toISOString(),
              by,
              action,
              subject,
              String(status),
            ]),
          ),
        )
      }),
    )
  program
    .command("health")
    .description("whether the engine answers")
    .action(
      act(async (cli) => {
        const { server_addr: server } = cli.project().project
        const { version, ms } = await askHealth(cli)
        cli.show(
          { healthy: true, server, version, ms },
          (health) =>
            `${cli.paint("green", "●")} ${health.server} answers (version ${health.version}, ${health.ms} ms).`,
        )
      }),
    )
  program
    .command("version")
    .description("the version of this command line, and of the engine when one is known")
    .action(
      act(async (cli) => {
        const client = cli.around.version
        const isKnown = Object.keys(cli.config().projects).length > 0
        // An engine that is down says nothing of itself; the command has its version all the same.
        const server = isKnown
          ? await askHealth(cli).then(
              ({ version }) => version,
              () => undefined,
            )
          : undefined
        cli.show({ client, server: server ?? null }, () =>
          [
            `Client Version: v${client}`,
            `Server Version: ${server === undefined ? "unknown" : `v${server}`}`,
          ].join("\n"),
        )
      }),
    )
}
