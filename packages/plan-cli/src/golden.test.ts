import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { MemoryStore } from "@orra/core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Bench } from "../../plan-engine/src/engine-fixture.ts"
import { Home, type Ran } from "./fixture.ts"

const START = Date.UTC(2026, 10, 22, 12)
const GROUNDING = `name: support
domain: shop
version: 1.0
use-cases:
  - action: Refund the order {orderId}
    params:
      orderId: ORD1
    capabilities:
      - Does payment
    intent: Give back the money
constraints:
  - service: payment
    atMost: 1
`

/** A store whose clock stands still until it is told. */
class StillStore extends MemoryStore {
  at = START
  now(): Promise<number> {
    return Promise.resolve(this.at)
  }
}

/**
 * Every command against an engine, in the form for people and as JSON, as one transcript each. Ids, keys and ports are
 * numbered; the clock is the store's. The long run starts a process for each command.
 */
class Transcript {
  readonly home = new Home()
  readonly store = new StillStore()
  readonly bench = new Bench(this.store)
  readonly #form: readonly string[]
  readonly #known = new Map<string, string>()
  text = ""

  constructor(form: "text" | "json") {
    this.#form = form === "json" ? ["--json"] : []
  }

  async run(...args: readonly string[]): Promise<Ran> {
    this.store.at += 1_000
    const all = [...args, ...this.#form]
    const ran = process.env["ORRA_TEST_FULL"] ? await this.home.orra(all) : await this.home.quick(all)
    const code = ran.code === 0 ? "" : `[exit ${ran.code}]\n`
    const written = this.#form.length > 0 ? known(ran.stdout) : ran.stdout
    this.text += `$ orra ${all.map(quoted).join(" ")}\n${written}${ran.stderr}${code}\n`
    return ran
  }

  /** What the last command wrote as JSON has; the command itself is not in the transcript. */
  async ask<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse((await this.home.quick([...args, "--json"])).stdout) as T
  }

  get normal(): string {
    return (
      this.text
        .replaceAll(this.home.folder, "~")
        .replaceAll(this.bench.url, "http://127.0.0.1:80050")
        .replace(
          /\b(sk-orra-v1-|s_|[poekc]_)([0-9a-zA-Z]{22,64})\b|\b[0-9a-f]{64}\b/g,
          (whole, prefix = "", id = whole) => this.#number(prefix, id),
        )
        // What is written of a run has the time of the machine.
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) =>
          time.startsWith("2100") ? time : "2026-11-22T12:00:00.000Z",
        )
        .replace(/("at": ?|"duration": ?)\d+/g, "$10")
        .replace(/^│ task.*$/gim, (row) => row.replace(/ {2,}/g, "  ").replace(/ \d+(\.\d)?m?s /, " 1ms "))
        .replace(/"ms": \d+|\d+ ms\)/g, (ms) => ms.replace(/\d+/, "1"))
        .replace(/(WHEN|\d+[smhd] ago) */g, (cell) => (cell.startsWith("WHEN") ? "WHEN    " : "1s ago  "))
    )
  }

  #number(prefix: string, id: string): string {
    const known = this.#known.get(id) ?? String(this.#known.size + 1).padStart(id.length, "0")
    this.#known.set(id, known)
    return `${prefix}${known}`
  }

  async close(): Promise<void> {
    await this.bench.close()
    this.home.remove()
  }
}

/** Members that commands show or make. The engine's answers have others too, which are the engine's to test. */
const MEMBERS = [
  ..."id name server current healthy version ms client createdAt scopes expiresAt apiKey cli revoked url removed".split(
    " ",
  ),
  ..."status revertible kind description schema input output type properties text required action data field".split(
    " ",
  ),
  ..."value content plan tasks service_name parallel_groups results resultsByTask timestamp compensation active".split(
    " ",
  ),
  ..."total completed failed aborted error abortInfo taskId serviceId serviceName payload reason statusHistory".split(
    " ",
  ),
  ..."duration interimResults progress message attempt max_attempts compensationHistory isRevertible entries".split(
    " ",
  ),
  ..."number hash at task key isLast halt outcome undo ttlMs cursor isWhole head resolutionState failure".split(
    " ",
  ),
  ..."resolution attemptsMade compensationData context ttl originalTask taskResult domain useCases params intent".split(
    " ",
  ),
  ..."capabilities constraints isPlanned useCase code hint by subject problem files like findings grounding movedTo orchestrationId items state event tried attempts".split(
    " ",
  ),
]

/** JSON with these members alone: one value, or one on each line. */
function known(stdout: string): string {
  const written = (value: unknown, indent?: number): string => JSON.stringify(value, MEMBERS, indent)
  try {
    return `${written(JSON.parse(stdout), 2)}\n`
  } catch {
    return stdout.replace(/^\{.*$/gm, (line) => written(JSON.parse(line)))
  }
}

const quoted = (arg: string): string => (/[\s"'{}]/.test(arg) ? `'${arg}'` : arg)

describe.each(["text", "json"] as const)("every command, as %s", (form) => {
  const transcript = new Transcript(form)
  const { bench, home } = transcript
  beforeAll(() => bench.listen())
  afterAll(() => transcript.close())

  test("answers as it did", async () => {
    const run = transcript.run.bind(transcript)
    writeFileSync(join(home.folder, "support.yaml"), GROUNDING)

    await run("projects", "ls")
    await run("ps")
    await run("projects", "add", "shop", "--server", bench.url)
    await run("projects", "add", "other", "--server", bench.url)
    await run("projects", "use", "other")
    await run("projects", "use", "shop")
    await run("projects", "ls")
    await run("health")
    await run("version")
    bench.key = home.project("shop").cli_auth

    await run("api-keys", "gen", "services", "--scope", "service", "read", "--expires", "2100-01-31")
    await run("api-keys", "gen", "services")
    await run("api-keys", "ls")
    await run("api-keys", "revoke", "services")
    await run("api-keys", "revoke", "services")
    await run("api-keys", "revoke", home.project("shop").cli_auth_id ?? "")

    await run("webhooks", "ls")
    await run("webhooks", "add", "https://shop.example/orra")
    await run("webhooks", "add", "shop.example")
    await run("webhooks", "ls")
    await run("webhooks", "rm", "https://shop.example/orra")

    await run("webhooks", "deliveries")
    await run("webhooks", "redeliver", "d_nothing")
    await run("services", "ls")
    const customer = await bench.service("customer", (task) => {
      task.pushUpdate({ progress: 40, message: "looking" })
      return { text: "Ada" }
    })
    const payment = await bench.service("payment", () => ({ text: "paid" }), { revertible: true })
    await run("services", "ls")

    bench.plan = [
      { id: "task1", service: "customer", input: { text: "$task0.message" } },
      { id: "task2", service: "payment", input: { text: "$task1.text" } },
    ]
    await run("verify", "run", "When does it come?", "-d", "message:Hi, Bob", "-f")
    const done = (await transcript.ask<{ completed: [{ id: string }] }>("ps")).completed[0].id
    await run("inspect", done)
    await run("inspect", done, "-d", "-u")
    await run("inspect", done, "--long-updates")
    await run("logs", done)
    await run("logs", done, "-f")
    await run("logs", done, "--verify")
    await run("pddl", done, "-o", join(home.folder, "plan"))
    await run("pddl", "o_nothing")

    // What was paid cannot be given back, since the customer is not found any more.
    bench.plan = [
      { id: "task1", service: "payment", input: { text: "$task0.message" } },
      { id: "task2", service: "customer", input: { text: "$task1.text" } },
    ]
    payment.onRevert = () => {
      throw new Error("The bank is closed.")
    }
    customer.handler = (task) => task.abort({ reason: "unknown" })
    const aborted = await run("verify", "run", "Pay.", "-d", "message:now", "-q", "-f")
    expect(aborted.code).toBe(1)
    await run("ps")
    await run("ps", "-s", "completed", "-l", "1")
    const failed = await transcript.ask<readonly [{ id: string; orchestrationId: string }]>("comp-fail", "ls")
    await run("inspect", failed[0].orchestrationId, "-d")
    await run("comp-fail", "ls")
    await run("comp-fail", "inspect", failed[0].id)
    await run("comp-fail", "ignore", failed[0].id)
    await run("comp-fail", "ignore", failed[0].id, "-r", "It was 1 cent")
    await run("comp-fail", "resolve", failed[0].id, "-r", "Paid by hand")
    await run("comp-fail", "ls")
    await run("comp-fail", "retry", failed[0].id)
    await run("comp-fail", "ls", "--all", "-s", "expired")
    await run("comp-fail", "webhooks", "add", "https://shop.example/undo")
    await run("comp-fail", "webhooks", "ls")
    await run("comp-fail", "webhooks", "rm", "https://shop.example/undo")

    bench.plan =
      '{"tasks":[{"id":"task0","input":{}},{"id":"final","input":{"error":"Nobody here can fly."}}]}'
    await run("verify", "run", "Fly.")
    await run("inspect", "o_nothing")
    await run("cancel", done)

    const file = join(home.folder, "support.yaml")
    await run("grounding", "test", file)
    bench.plan = [{ id: "task1", service: "payment", input: { text: "$task0.orderId" } }]
    await run("grounding", "test", "-f", file)
    await run("grounding", "ls")
    await run("grounding", "apply", "-f", file)
    await run("grounding", "apply", "-f", file)
    await run("grounding", "ls")
    await run("grounding", "rm")
    await run("grounding", "rm", "support")
    await run("grounding", "rm", "--all")

    await run("audit", "-l", "5")
    await run("audit", "--verify")
    await run("services", "rm", "payment")
    await run("services", "rm", "payment")
    await run("verify", "run")
    await run("config", "reset")

    await expect(transcript.normal).toMatchFileSnapshot(`golden/${form}.txt`)
  })
})
