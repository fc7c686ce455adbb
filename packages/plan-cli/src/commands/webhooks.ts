import type { Command } from "commander"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"

export type WebhookPath = "/webhooks" | "/compensation-failure-webhooks"

/** `webhooks`: who is told of what comes of orchestrations. */
export function webhookCommands(program: Command, act: Act): void {
  const webhooks = program.command("webhooks").description("addresses that are told how orchestrations ended")
  addressCommands(webhooks, act, "/webhooks", "orra webhooks add")
}

/** `add`, `ls` and `rm` of one kind of webhook. */
export function addressCommands(parent: Command, act: Act, path: WebhookPath, add: string): void {
  parent
    .command("add")
    .description("tell this address as well")
    .argument("<url>")
    .action(
      act(async (cli, url: string) => {
        const added = await addWebhook(cli, path, url)
        cli.show({ url: added }, (shown) => `${cli.paint("green", "✔")} ${shown.url} is told from now on.`)
      }),
    )
  parent
    .command("ls")
    .description("the addresses")
    .action(
      act(async (cli) => {
        const urls = await webhookUrls(cli, path)
        cli.show(urls, (shown) =>
          shown.length === 0 ? `There is none. Add one with: ${add} <url>` : shown.join("\n"),
        )
      }),
    )
  parent
    .command("rm")
    .description("tell this address nothing more")
    .argument("<url>")
    .action(
      act(async (cli, url: string) => {
        await cli.api().request("DELETE", path, { query: { url } })
        remember(cli, path, await webhookUrls(cli, path))
        cli.show({ removed: url }, (shown) => `${shown.removed} is told nothing more.`)
      }),
    )
}

export async function webhookUrls(cli: Cli, path: WebhookPath): Promise<readonly string[]> {
  return (await cli.api().request<readonly { readonly url: string }[]>("GET", path)).map(({ url }) => url)
}

/** @returns the address as the engine keeps it. */
export async function addWebhook(cli: Cli, path: WebhookPath, url: string): Promise<string> {
  const added = await cli.api().request<{ readonly url: string }>("POST", path, { body: { url } })
  remember(cli, path, await webhookUrls(cli, path))
  return added.url
}

/** The original lists what its file has: a file that both use says the same to both. */
function remember(cli: Cli, path: WebhookPath, urls: readonly string[]): void {
  const member = path === "/webhooks" ? "webhooks" : "compensation_failure_webhooks"
  cli.changeProject(cli.project().name, () => ({ [member]: urls }))
}
