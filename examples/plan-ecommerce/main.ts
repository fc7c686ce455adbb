import { once } from "node:events"
import { mkdir } from "node:fs/promises"
import type { AddressInfo } from "node:net"
import process, { env, stderr, stdout } from "node:process"
import { errorMessage } from "@orra/core"
import { chatServer } from "./chat.ts"
import { engineFromEnv, providerFromEnv } from "./engine.ts"
import { startServices } from "./services.ts"
import { Shop } from "./shop.ts"

try {
  await main()
} catch (error) {
  stderr.write(`${errorMessage(error)}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const folder = env["SHOP_DATA"] ?? "data"
  await mkdir(folder, { recursive: true })
  const provider = providerFromEnv()
  const engine = await engineFromEnv(folder, provider)
  const services = await startServices(engine, { shop: new Shop(), provider, folder })
  const chat = chatServer(engine).listen(Number(env["PORT"] ?? 3000), "127.0.0.1")
  await once(chat, "listening")
  stdout.write(`The shop is at http://127.0.0.1:${(chat.address() as AddressInfo).port}\n`)

  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")])
  chat.close()
  chat.closeAllConnections()
  await Promise.all(services.map((service) => service.shutdown()))
  await engine.close()
}
