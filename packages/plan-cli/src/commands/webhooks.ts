import { type Command, Option } from "commander"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"
import { ago, box, pretty, short, status, table } from "../text.ts"
import { wholeNumber } from "./runs.ts"

export type WebhookPath = "/webhooks" | "/compensation-failure-webhooks"

/** `webhooks`: who is told of what comes of orchestrations. */
export function webhookCommands(program: Command, act: Act): void {
  const webhooks = program.command("webhooks").description("addresses that are told how orchestrations ended")
  addressCommands(webhooks, act, "/webhooks", "orra webhooks add")
  webhooks
    .command("deliveries")
    .description("what was told, also of compensations, and what was not; with an id all of one")
    .argument("[id]")
    .addOption(
      new Option("-s, --state <state>", "only those").choices(["pending", "delivered", "dead", "dropped"]),
    )
    .option("-l, --limit <number>", "so many, those that changed last", wholeNumber, 20)
    .action(act(deliveries))
  webhooks
    .command("redeliver")
    .description("tell it again, whatever came of it")
    .argument("<id>")
    .action(
      act(async (cli, id: string) => {
        const again = await cli.api().request<Delivery>("POST", `${delivery(id)}/redeliver`)
        cli.show(again, (shown) => `${shown.id} is told to ${shown.url} again.`)
      }),
    )
}

interface Delivery {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly event: string
  readonly eventId: string
  readonly orchestrationId: string
  readonly tried: number
  readonly attempts: readonly {
    readonly timestamp: string
    readonly ms: number
    /** The status of the answer. */
    readonly answered?: number
    readonly error?: string
  }[]
  readonly updatedAt: string
  /** What is told, when one is asked for. */
  readonly body?: unknown
}

const DELIVERIES = "/webhooks/deliveries"
const delivery = (id: string): string => `${DELIVERIES}/${encodeURIComponent(id)}`

async function deliveries(
  cli: Cli,
  id: string | undefined,
  { state, limit }: { readonly state?: string; readonly limit: number },
): Promise<void> {
  if (id !== undefined) {
    cli.show(await cli.api().request<Delivery>("GET", delivery(id)), (shown) => wholeDelivery(cli, shown))
    return
  }
  const { items } = await cli.api().request<{ readonly items: readonly Delivery[] }>("GET", DELIVERIES, {
    query: { state, limit: String(Math.min(limit, 500)) },
  })
  cli.show(items, (shown) =>
    shown.length === 0
      ? "Nothing was told."
      : table(
          ["ID", "EVENT", "ORCHESTRATION", "STATE", "TRIED", "WHEN", "URL", "ERROR"],
          shown.map((each) => [
            each.id,
            each.event,
            each.orchestrationId,
            status(each.state, cli.paint),
            String(each.tried),
            ago(each.updatedAt, cli.around.now()),
            each.url,
            short(each.attempts.at(-1)?.error ?? "", 60),
          ]),
        ),
  )
}

const wholeDelivery = (cli: Cli, shown: Delivery): string =>
  [
    box("Delivery", [
      `ID:     ${shown.id}`,
      `Event:  ${shown.event} (${shown.eventId})`,
      `To:     ${shown.url}`,
      `State:  ${status(shown.state, cli.paint)}`,
      ...shown.attempts.map(
        ({ timestamp, ms, answered, error }) =>
          `  ${timestamp}  ${answered ?? "-"}  ${ms} ms  ${error ?? ""}`,
      ),
    ]),
    box("What is told", [pretty(shown.body)]),
  ].join("\n\n")

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
