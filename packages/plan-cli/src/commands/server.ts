import type { Command } from "commander"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"

/** The version that an engine says it is, and how long it took. */
async function askHealth(cli: Cli): Promise<{ readonly version: string; readonly ms: number }> {
  const began = performance.now()
  const response = await cli.api().open("/health", {})
  await response.arrayBuffer()
  const version = response.headers.get("x-orra-planeengine-version") ?? "unknown"
  return { version, ms: Math.round(performance.now() - began) }
}

/** `health` and `version`. */
export function serverCommands(program: Command, act: Act): void {
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
