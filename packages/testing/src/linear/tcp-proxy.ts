import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"

/** Passes connections on, until it is told not to. */
export interface TcpProxy {
  readonly port: number
  /** Breaks all connections. */
  drop(): void
  /** Breaks each connection as soon as an answer comes over it, which is lost. */
  lose(): void
  close(): Promise<void>
}

/** A proxy on a free port of the loopback to another port of it. */
export async function tcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket; losing: boolean }>()
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1")
    const pair = { near, far, losing: false }
    pairs.add(pair)
    const cut = (): void => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    near.on("data", (data) => far.write(data))
    far.on("data", (data) => {
      if (pair.losing) cut()
      else near.write(data)
    })
    for (const socket of [near, far]) socket.on("error", cut).on("close", cut)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (typeof address !== "object" || !address) throw new Error("There is no free port.")
  const drop = (): void => {
    for (const { near } of pairs) near.resetAndDestroy()
  }
  return {
    port: address.port,
    drop,
    lose() {
      for (const pair of pairs) pair.losing = true
    },
    async close() {
      server.close()
      drop()
      await once(server, "close")
    },
  }
}
