import { once } from "node:events"
import { createServer } from "node:net"

/** Below those that systems give to whoever asks for any port, also to each outgoing connection. */
const [FIRST, LAST] = [20_000, 32_767]

/**
 * A free port of the loopback, for a program that must be told one. Nobody is given it by chance before that program
 * listens, or while it is started again.
 *
 * ```ts
 * const port = await freePort()
 * const child = spawn("server", ["--port", `${port}`])
 * ```
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    const server = createServer()
    const listens = once(server, "listening").then(
      () => true,
      () => false,
    )
    server.listen(port, "127.0.0.1")
    if (!(await listens)) continue
    server.close()
    await once(server, "close")
    return port
  }
}
