import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { engine, type Relay, relayed, type TestEngine } from "./fixture.ts"

async function bench(): Promise<{ readonly shop: TestEngine; readonly relay: Relay }> {
  const shop = await engine()
  const relay = await relayed(shop)
  return { shop, relay }
}

const program = fileURLToPath(new URL("service.child.ts", import.meta.url))

/** The service as a process of its own; with the id the engine gave it. */
async function start(shop: TestEngine, relay: Relay, hang = ""): Promise<[ChildProcess, string]> {
  const { connections } = relay
  const child = spawn(
    process.execPath,
    ["--conditions=@orra/source", "--no-warnings", program, relay.url, shop.key, shop.folder, hang],
    { stdio: ["ignore", "ignore", "inherit"] },
  )
  onTestFinished(() => kill(child))
  await expect.poll(() => relay.connections).toBeGreaterThan(connections)
  const { id } = JSON.parse(await readFile(join(shop.folder, "echo.json"), "utf8")) as { id: string }
  return [child, id]
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  child.kill("SIGKILL")
  await ended
}

const effects = async (shop: TestEngine): Promise<readonly string[]> =>
  (await readFile(join(shop.folder, "effects"), "utf8").catch(() => "")).split("\n").slice(0, -1)

test("a service that is killed in the middle of a task does it once it is back", async () => {
  const { shop, relay } = await bench()
  const [child, id] = await start(shop, relay, "hang")
  const plan = await shop.begin(id)
  await expect.poll(() => effects(shop)).toEqual(["begun 1"])
  await kill(child)
  const [, again] = await start(shop, relay)
  expect(await shop.ended(plan)).toMatchObject({ status: "completed", results: [{ text: "b" }] })
  expect(again).toBe(id)
  expect(await effects(shop)).toEqual(["begun 1", "begun 2, interrupted", "done"])
})

test("a service that is killed after it was done, before anybody heard of it, does not do it again", async () => {
  const { shop, relay } = await bench()
  const [child, id] = await start(shop, relay)
  relay.passes = ({ frame }) => (frame["payload"] as { type?: string } | undefined)?.type !== "task_result"
  const plan = await shop.begin(id)
  await expect.poll(() => relay.frames("task_result").length).toBeGreaterThan(0)
  await kill(child)
  relay.passes = () => true
  await start(shop, relay)
  expect(await shop.ended(plan)).toMatchObject({ status: "completed", results: [{ text: "b" }] })
  expect(await effects(shop)).toEqual(["begun 1", "done"])
})
