import { InvalidInput, type ModelRequest, Namespace, Team } from "@orra/core"
import { call, say, scriptedProvider, wait } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { harness, OWNER, OWNER_KEY, send, sessionPath } from "./fixture.ts"
import { createGateway } from "./gateway.ts"
import { purge, UNDO_MS } from "./sessions.ts"

const chat = Namespace.of("web", "chat")

/** Each agent answers with its own name, which it knows from its prompt. */
const whoever = ({ system = "" }: ModelRequest): string => `I am ${/You are (\w+)/.exec(system)?.[1]}.`

async function teamHarness(script: Parameters<typeof scriptedProvider>[0] = []) {
  const provider = scriptedProvider(script, { otherwise: whoever })
  const team = new Team({ provider, agents: [{ name: "Atlas" }, { name: "Nova" }], deltaIntervalMs: 0 })
  const gateway = await createGateway({
    runtime: team.runtime,
    team: {
      stop: (namespace) => team.stop(namespace),
      delete: (namespace) => team.delete(namespace),
      agentFor(message, asked) {
        if (asked === undefined)
          return typeof message === "string" && message.startsWith("@Nova") ? "Nova" : undefined
        if (!team.agent(asked)) throw new InvalidInput("There is no such agent.")
        return asked
      },
    },
    principals: [OWNER],
    port: 0,
  })
  const { port } = await gateway.listen()
  onTestFinished(async () => {
    await gateway.close()
    await team.close()
  })
  return {
    team,
    request: (path: string, body?: unknown, method?: string) =>
      send(port, path, { key: OWNER_KEY, body: body ?? (method && {}), ...(method && { method }) }),
    answered: async () =>
      (await team.runtime.store.read(chat, { types: ["run_started"] })).map((entry) =>
        entry.type === "run_started" ? entry.agent : undefined,
      ),
  }
}

test("a message goes to the agent that it names, or that its sender asks for", async () => {
  const { request, answered } = await teamHarness()
  const say = (body: object) => request("/api/chat", { namespace: chat.key, ...body })
  expect((await say({ message: "Hi" })).json).toMatchObject({ message: "I am Atlas." })
  expect((await say({ message: "@Nova, hi" })).json).toMatchObject({ message: "I am Nova." })
  expect((await say({ message: "Hi", agent: "Nova" })).json).toMatchObject({ message: "I am Nova." })
  expect(await say({ message: "Hi", agent: "Nobody" })).toMatchObject({ status: 400 })
  expect(await say({ message: "Hi", agent: 5 })).toMatchObject({ status: 400 })
  const first = 1
  const again = await request(sessionPath(chat, "/regenerate"), { seq: first, agent: "Nova" })
  expect(again.status).toBe(202)
  await expect.poll(answered).toEqual(["Atlas", "Nova", "Nova", "Nova"])
})

test("what is for another agent waits for the end of the run instead of joining it", async () => {
  const hold = Promise.withResolvers<void>()
  const { team, request, answered } = await teamHarness([[wait(hold.promise), say("One.")]])
  const messages = sessionPath(chat, "/messages")
  await request(messages, { message: "First" })
  expect((await request(messages, { message: "@Nova too", whenBusy: "steer" })).status).toBe(202)
  const [waiting] = await team.runtime.store.read(chat, { types: ["input"] })
  expect(waiting).toMatchObject({ mode: "queue", agent: "Nova" })
  hold.resolve()
  await expect.poll(answered).toEqual(["Atlas", "Nova"])
})

test("what agents hand to one another is in no list, and goes with the chat when that is gone for good", async () => {
  const { team, request } = await teamHarness([
    [call("delegate_to_agent", { agent: "Nova", task: "Look." })],
    "I looked.",
    "Nova looked.",
  ])
  await request("/api/chat", { namespace: chat.key, message: "Ask Nova." })
  const all = async () => (await team.runtime.list(OWNER.namespace)).items.length
  expect(await all()).toBe(2)
  const { json } = await request("/api/sessions?limit=1")
  expect(json).toMatchObject({ sessions: [{ namespace: chat.key }] })
  expect((await request("/api/sessions")).json["sessions"]).toHaveLength(1)

  await request(sessionPath(chat), undefined, "DELETE")
  const later = Date.now() + UNDO_MS + 1
  await purge(team.runtime, team, [OWNER], later)
  expect(await team.runtime.list(OWNER.namespace, { deleted: true })).toMatchObject({ items: [] })
  expect(await all()).toBe(0)
})

test("without agents none can be named", async () => {
  const { send: ask } = await harness()
  const body = { message: "@Nova", agent: "Nova" }
  expect(await ask("/api/chat", { key: OWNER_KEY, body })).toMatchObject({
    status: 400,
    json: { error: 'There are no agents to choose from: leave "agent" out.' },
  })
  expect(await ask("/api/chat", { key: OWNER_KEY, body: { message: "@Nova" } })).toMatchObject({
    status: 200,
  })
})
