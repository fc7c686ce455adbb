import { createHmac, timingSafeEqual } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import { pretty } from "../text.ts"
import { webhookUrls } from "./webhooks.ts"

const PORT = 8888

interface Told {
  readonly event: string
  /** `none` when it is not signed, or the secret is not known here. */
  readonly signature: "right" | "wrong" | "none"
  readonly body: unknown
}

/** Shows what the engine tells a webhook, until Ctrl-C. @throws CliError for an address that is told nothing. */
export async function listenForWebhooks(cli: Cli, url: string): Promise<void> {
  const { project } = cli.project()
  const known = [
    ...(await webhookUrls(cli, "/webhooks")),
    ...(await webhookUrls(cli, "/compensation-failure-webhooks")),
  ]
  if (!known.some((each) => inDocker(each) === inDocker(url)))
    throw new CliError(
      "webhook_unknown",
      `The engine tells ${url} nothing.`,
      `Add it first: orra webhooks add ${url}`,
    )
  const { hostname, port, pathname } = new URL(url)
  const server = createServer(async (request, response) => {
    if (request.method !== "POST" || request.url?.split("?")[0] !== pathname) {
      response.writeHead(404).end()
      return
    }
    const body = await text(request)
    const signature = checked(project.webhook_secret, [request.headers["x-orra-signature"]].flat()[0], body)
    cli.line<Told>(
      { event: String(request.headers["x-orra-event"]), signature, body: asJson(body) },
      (told) =>
        [`${cli.paint("bold", told.event)}  signature: ${told.signature}`, pretty(told.body)].join("\n"),
    )
    response.writeHead(200).end()
  })
  // An engine in a container comes from another address than this machine's own.
  const host = ["localhost", "127.0.0.1"].includes(hostname) ? "127.0.0.1" : "0.0.0.0"
  server.listen(port === "" ? PORT : Number(port), host)
  try {
    await once(server, "listening", { signal: cli.around.signal })
  } catch (error) {
    cli.around.signal.throwIfAborted()
    throw new CliError("port_taken", `Nothing can listen at ${url}: ${(error as Error).message}.`)
  }
  cli.line({ listening: url }, () => `Listening at ${url}. Ctrl-C ends it.`)
  await once(cli.around.signal, "abort")
  server.close()
  server.closeAllConnections()
}

/** How this machine is called from within a container. */
const inDocker = (url: string): string => url.replace("//host.docker.internal", "//localhost")

function asJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** `t=<s since 1970>,v1=<hex>`: the HMAC-SHA256 over `<t>.<body>`. */
function checked(secret: string | undefined, header: string | undefined, body: string): Told["signature"] {
  const [, seconds = "", given = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? "") ?? []
  if (secret === undefined || given === "") return "none"
  const wanted = createHmac("sha256", secret).update(`${seconds}.${body}`).digest()
  return timingSafeEqual(wanted, Buffer.from(given, "hex")) ? "right" : "wrong"
}
