import { Bonjour, type Service } from "bonjour-service"

/** A Herald on the local network that nobody here has configured. */
export interface Found {
  readonly name: string
  readonly url: string
}

export interface Discovery {
  /** Those that are there now, by name. Nothing is sent to any of them: a person adds it to the configuration, or not. */
  found(): readonly Found[]
  close(): Promise<void>
}

const TYPE = "herald"
const MAX_FOUND = 100

/**
 * Looks for other Heralds on the local network by mDNS (`_herald._tcp`), and is found there by its name and port.
 *
 * `port` is undefined where nobody elsewhere could reach it; then it only looks. `network` is what mDNS itself takes: for
 * tests.
 */
export function discover({
  instance,
  port,
  onError,
  network = {},
}: {
  readonly instance: string
  readonly port: number | undefined
  readonly onError: (error: unknown) => void
  readonly network?: Readonly<Record<string, unknown>>
}): Discovery {
  const bonjour = new Bonjour(network, onError)
  const found = new Map<string, Found>()
  const browser = bonjour.find({ type: TYPE })
  browser.on("up", (service: Service) => {
    const [address] = (service.addresses ?? []).filter((each) => !each.includes(":"))
    const { name } = service
    if (address === undefined || name === instance || found.size >= MAX_FOUND) return
    found.set(name, { name, url: `http://${address}:${service.port}` })
  })
  browser.on("down", ({ name }: Service) => void found.delete(name))
  const service =
    port === undefined ? undefined : bonjour.publish({ name: instance, type: TYPE, port, probe: false })
  service?.on("error", onError)
  return {
    found: () => [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    close: () =>
      new Promise((resolve) => {
        browser.stop()
        bonjour.unpublishAll(() => bonjour.destroy(() => resolve()))
      }),
  }
}
