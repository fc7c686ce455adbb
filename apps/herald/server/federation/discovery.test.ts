import { createSocket } from "node:dgram"
import { afterEach, describe, expect, test, vi } from "vitest"
import { type Discovery, discover } from "./discovery.ts"

const open: Discovery[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

/** A port that several sockets can share. */
const sharedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const socket = createSocket({ type: "udp4", reuseAddr: true })
    socket.bind(0, () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })

/** On a network that is this machine alone: what is sent to its broadcast address all that listen hear. */
function herald(instance: string, announced: number | undefined, port: number): Discovery {
  const socket = createSocket({ type: "udp4", reuseAddr: true })
  socket.on("listening", () => socket.setBroadcast(true))
  const network = { socket, port, ip: "127.255.255.255", bind: "0.0.0.0", multicast: false }
  const onError = (error: unknown): void => expect(error).toBeUndefined()
  const discovery = discover({ instance, port: announced, network, onError })
  open.push(discovery)
  return discovery
}

describe("R23: Heralds of one network", () => {
  test.runIf(process.platform === "linux")("find each other, and not themselves", async () => {
    const port = await sharedPort()
    const first = herald("herald", 8081, port)
    const second = herald("herald-beta", 8082, port)
    const shy = herald("shy", undefined, port)
    await vi.waitFor(() => {
      expect(first.found().map(({ name }) => name)).toEqual(["herald-beta"])
      expect(second.found().map(({ name }) => name)).toEqual(["herald"])
      expect(shy.found().map(({ name }) => name)).toEqual(["herald", "herald-beta"])
    })
    expect(second.found()[0]?.url).toMatch(/^http:\/\/[\d.]+:8081$/)
  })
})
