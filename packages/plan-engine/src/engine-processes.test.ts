import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Json, JsonObject } from "@orra/core"
import { postgresServer } from "@orra/testing/postgres"
import { type Child, startChild } from "@orra/testing/process"
import { afterEach, expect, test } from "vitest"
import type { Told } from "./engine.child.ts"
import { Bench, type Written } from "./engine-fixture.ts"
import type { WireService } from "./wire/wire-fixture.ts"

const isLong = Boolean(process.env["ORRA_TEST_FULL"])
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const CHAIN: Written = [
  { id: "task1", service: "first", input: { text: "$task0.text" } },
  { id: "task2", service: "second", input: { text: "$task1.text" } },
]

/** What a test has of an engine that is a process of its own. */
interface EngineProcess {
  readonly bench: Bench
  readonly child: Child
  /** Kills it, if it lives. */
  readonly kill: () => Promise<void>
}

async function started(place: string, before?: Bench): Promise<EngineProcess> {
  const listens = Promise.withResolvers<string>()
  const bench = new Bench()
  bench.plan = CHAIN
  bench.key = before?.key ?? ""
  for (const [name, id] of before?.ids ?? []) bench.ids.set(name, id)
  const module = new URL("./engine.child.ts", import.meta.url)
  const child = startChild<string>(module, [place, bench.written()], listens.resolve)
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL")
    await child.ended
  }
  ends.push(kill)
  child.ended.then(({ complaint }) => listens.reject(new Error(`It ended. ${complaint}`)))
  bench.url = await listens.promise
  return { bench, child, kill }
}

const tell = ({ child }: EngineProcess, told: Told): void => child.tell(told)

/** As clients do, as soon as they can. */
async function reconnected(wire: WireService, { bench }: EngineProcess): Promise<void> {
  wire.move(bench.url)
  await wire.connect()
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "orra-plan-"))
  ends.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Listens for a project's webhooks. */
async function listener(): Promise<{ readonly url: string; readonly heard: JsonObject[] }> {
  const heard: JsonObject[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    heard.push(JSON.parse(Buffer.concat(chunks).toString()) as JsonObject)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  ends.push(() => new Promise((resolve) => server.close(resolve)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard }
}

/**
 * An engine that dies when it has written so many records of an orchestration that is done and undone, and the one after it.
 *
 * @returns whether it died before the end.
 */
async function survives(writes: number): Promise<boolean> {
  const place = join(folder(), "plans.db")
  const { url, heard } = await listener()
  const before = await started(place)
  await before.bench.project({ webhooks: [url] })
  const first = await before.bench.service("first", () => ({ text: "b" }), { revertible: true })
  const undone: Json[] = []
  first.onRevert = (_, result) => void undone.push(result)
  const second = await before.bench.service("second", ({ abort }) => abort("sold out"))
  ends.push(() => [first, second].map((wire) => wire.socket?.terminate()))
  tell(before, { plan: before.bench.written(), writes })
  const created = before.bench.create().catch(() => undefined)
  const told = async (): Promise<void> => {
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const end = await Promise.race([before.child.ended.then(() => "killed"), told().then(() => "told")])
  // What follows what is told is not much: it may end in it yet.
  if (end === "told") await before.kill()
  await created
  await Promise.all([first.drop(), second.drop()])

  const after = await started(place, before.bench)
  await Promise.all([reconnected(first, after), reconnected(second, after)])
  const [found] = Object.values(await after.bench.listed()).flatMap((group) => group ?? [])
  if (found) {
    const { id } = found
    expect(await after.bench.ended(id), `after ${writes} writes`).toMatchObject({
      status: "aborted",
      abortInfo: { taskId: "task2", payload: "sold out" },
      tasks: [{ output: { text: "b" }, compensation: { status: "completed" } }, { status: "aborted" }],
    })
    await told()
    expect([first.handled.length, second.handled.length], "each was done once").toEqual([1, 1])
    expect(new Set(undone.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"text":"b"}']))
    const keys = [first, second].map(
      ({ frames }) =>
        new Set(frames.filter(({ type }) => type === "task_request").map((each) => each["idempotencyKey"]))
          .size,
    )
    expect(keys, "always with the same key").toEqual([1, 1])
    expect(new Set(heard.map((event) => event["event_id"])).size).toBe(1)
  }
  await after.kill()
  return end === "killed"
}

test("W-D1, W-D2: an engine that is killed with services connected goes on with everything after a restart", async () => {
  if (!isLong) {
    expect(await survives(12)).toBe(true)
    return
  }
  for (let writes = 1; await survives(writes); writes++);
}, 600_000)

test("W-D8: of two engines on one PostgreSQL either goes on when the other is killed", async () => {
  const server = await postgresServer({ durable: false })
  ends.push(() => server.stop())
  const sockets = await started(server.url)
  await sockets.bench.project()
  const hold = Promise.withResolvers<void>()
  const first = await sockets.bench.service("first", () => ({ text: "b" }))
  const second = await sockets.bench.service("second", () => hold.promise.then(() => ({ text: "c" })))
  ends.push(() => [first, second].map((wire) => wire.socket?.terminate()))
  const asked = await started(server.url, sockets.bench)
  const services = async ({ bench }: EngineProcess) =>
    (await bench.ask<readonly { readonly healthy: boolean }[]>("GET", "/services")).body
  while (!(await services(asked)).every(({ healthy }) => healthy))
    await new Promise((resolve) => setTimeout(resolve, 5))
  // Its plans are carried out where they are asked for, by services at the other one.
  const { body } = await asked.bench.create()
  const [sent] = await second.seen("task_request")
  await asked.kill()
  hold.resolve()
  expect(await sockets.bench.ended(body.id)).toMatchObject({ status: "completed", results: [{ text: "c" }] })
  expect([first.handled, second.handled]).toEqual([[expect.any(String)], [sent?.["idempotencyKey"]]])

  // The other way round, and once more: sockets by themselves are in engines.test.ts.
  if (!isLong) return
  const again = await started(server.url, sockets.bench)
  await reconnected(first, again)
  const waits = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  second.handler = () => {
    begun.resolve()
    return waits.promise.then(() => ({ text: "d" }))
  }
  const { body: next } = await again.bench.create()
  await begun.promise
  await sockets.kill()
  waits.resolve()
  await second.drop()
  await reconnected(second, again)
  expect(await again.bench.ended(next.id)).toMatchObject({ status: "completed", results: [{ text: "d" }] })
  expect(second.handled).toHaveLength(2)
})
