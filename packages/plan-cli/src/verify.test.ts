import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { Bench } from "../../plan-engine/src/engine-fixture.ts"
import { freePort, Home } from "./fixture.ts"

let bench: Bench
let home: Home
beforeEach(async () => {
  bench = await new Bench().listen()
  home = new Home()
  await home.quick(["projects", "add", "shop", "--server", bench.url])
  bench.key = home.project("shop").cli_auth
})
afterEach(async () => {
  await bench.close()
  home.remove()
})

interface Sent {
  readonly id: string
  readonly data: readonly { readonly field: string; readonly value: unknown }[]
  readonly timeout?: string
  readonly healthCheckGracePeriod?: string
}

/** What the engine was given for an action. */
async function sent(...args: readonly string[]): Promise<Sent> {
  bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
  const { stdout, stderr } = await home.quick(["verify", "run", "Do it.", "--json", ...args])
  expect(stderr).toBe("")
  return JSON.parse(stdout) as Sent
}

test("W-X2: a comma is a comma, in prose and in JSON", async () => {
  await bench.service("echo", ({ input }) => input)
  const { data } = await sent(
    "-d",
    "message:Hi, Bob",
    "-d",
    'order:{"a":1,"b":2}',
    "--data",
    'items:[{"id":"A","count":2},{"id":"B"}]',
    "-d",
    "list:a,b,c",
    "-d",
    "at:12:30",
  )
  expect(Object.fromEntries(data.map(({ field, value }) => [field, value]))).toEqual({
    message: "Hi, Bob",
    order: { a: 1, b: 2 },
    items: [{ id: "A", count: 2 }, { id: "B" }],
    list: "a,b,c",
    at: "12:30",
  })
})

test("what only looks like JSON is text; --data-json takes nothing else", async () => {
  await bench.service("echo", ({ input }) => input)
  const { data } = await sent("-d", "note:[urgent] call, please", "-d", "amount:5", "--data-json", "count:5")
  expect(data.map(({ value }) => value)).toEqual(["[urgent] call, please", "5", 5])
  const wrong = await home.quick(["verify", "run", "Do it.", "--data-json", "count:five"])
  expect(wrong).toMatchObject({ code: 1, stdout: "" })
  expect(wrong.stderr).toContain("⨯ Error: five is not JSON.")
  const none = await home.quick(["verify", "run", "Do it.", "-d", "count"])
  expect(none.stderr).toContain("Write it as field:value")
})

test("durations go as they are, and one that is none is said to be", async () => {
  await bench.service("echo", ({ input }) => input)
  expect(await sent("-t", "90s", "-g", "1h")).toMatchObject({
    timeout: "1m30s",
    healthCheckGracePeriod: "1h0m0s",
  })
  const wrong = await home.quick(["verify", "run", "Do it.", "-t", "soon"])
  expect(wrong.stderr).toContain('⨯ Error: "timeout" must be a duration')
})

test("-f shows how planning goes, and why there is no plan", async () => {
  await bench.service("echo", () => ({ text: "done" }))
  bench.plan = [{ id: "task1", service: "nobody", input: { text: "a" } }]
  const refused = await home.quick(["verify", "run", "Do it.", "-f"])
  expect(refused.code).toBe(1)
  expect(refused.stdout).toMatch(/^planning o_\w{22}$/m)
  expect(refused.stdout).toContain("attempt 3 refused: ")
  expect(refused.stderr).toMatch(/^⨯ Error: No plan could be proved.*\n {2}See which services there are/)
})

test("pddl writes the plan for a validator", async () => {
  await bench.service("echo", () => ({ text: "done" }))
  bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
  const { id } = JSON.parse((await home.quick(["verify", "run", "Do it.", "--json"])).stdout)
  expect((await home.quick(["pddl", id])).stdout).toContain("(define (domain ")
  await home.quick(["pddl", id, "-o", join(home.folder, "plan")])
  expect(readFileSync(join(home.folder, "plan", "plan.txt"), "utf8")).toContain("(do-echo")
})

test("-q writes the id alone, and with -f the result alone", async () => {
  await bench.service("echo", () => ({ text: "done" }))
  bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
  expect((await home.quick(["verify", "run", "Do it.", "-q"])).stdout).toMatch(/^o_\w{22}\n$/)
  expect((await home.quick(["verify", "run", "Do it.", "-q", "-f"])).stdout).toBe('{\n  "text": "done"\n}\n')
})

test("-w tells an address, which the real command listens at, and knows who tells it", async () => {
  await bench.service("echo", () => ({ text: "done" }))
  bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
  const url = `http://127.0.0.1:${await freePort()}/hook`
  const early = await home.quick(["verify", "webhooks", "start", url])
  expect(early.stderr).toContain(`Add it first: orra webhooks add ${url}`)
  await home.quick(["webhooks", "add", url.replace("127.0.0.1", "localhost")])
  await home.quick(["webhooks", "add", url])

  const listener = home.start("verify", "webhooks", "start", url)
  await listener.wrote("Listening at")
  const ran = await home.quick(["verify", "run", "Do it.", "-w", url, "-f"])
  expect(ran.code).toBe(0)
  await listener.wrote("orchestration.completed")
  listener.child.kill("SIGINT")
  const { code, stdout, stderr } = await listener.ended
  expect({ code, stderr }).toEqual({ code: 130, stderr: "" })
  expect(stdout).toContain("orchestration.completed  signature: right")
  expect(home.project("shop").webhooks).toContain(url)

  const told = await home.quick(["webhooks", "deliveries", "-s", "delivered", "--json"])
  const [first] = JSON.parse(told.stdout) as readonly { id: string; url: string }[]
  expect(first).toMatchObject({ url: expect.stringContaining("/hook") })
  expect((await home.quick(["webhooks", "deliveries"])).stdout).toContain("● delivered")
  expect((await home.quick(["webhooks", "deliveries", first?.id ?? ""])).stdout).toContain(
    '"orchestration_id"',
  )
})

test("Ctrl-C leaves what runs as it is, and says nothing", async () => {
  await bench.service("echo")
  bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
  const following = home.start("verify", "run", "Do it.", "-f")
  await following.wrote("task sent")
  following.child.kill("SIGINT")
  expect(await following.ended).toMatchObject({ code: 130, stderr: "" })
  const { processing } = JSON.parse((await home.quick(["ps", "--json"])).stdout)
  expect(processing).toHaveLength(1)
  expect((await home.quick(["cancel", processing[0].id])).code).toBe(0)
})

test("what could not be undone is tried again", async () => {
  const payment = await bench.service("payment", () => ({ text: "paid" }), { revertible: true })
  await bench.service("customer", () => {
    throw new Error("unknown")
  })
  payment.onRevert = () => {
    throw new Error("The bank is closed.")
  }
  bench.plan = [
    { id: "task1", service: "payment", input: { text: "a" } },
    { id: "task2", service: "customer", input: { text: "$task1.text" } },
  ]
  expect((await home.quick(["verify", "run", "Pay.", "-f"])).code).toBe(1)
  const [failed] = JSON.parse((await home.quick(["comp-fail", "ls", "--json"])).stdout)
  payment.onRevert = () => undefined
  expect((await home.quick(["comp-fail", "retry", failed.id])).stdout).toContain("is being undone again")
  await expect
    .poll(async () => (await home.quick(["comp-fail", "inspect", failed.id])).stdout)
    .toContain("Resolution:    resolved")
})
