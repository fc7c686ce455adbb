import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { call, lastText, type WireRequest } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldSite } from "../fixture.ts"

const WAIT = { timeout: 60_000 } as const

type Answer = Readonly<Record<string, unknown>>

/** A Herald, and what its page asks about jobs. */
async function place(options: Parameters<typeof heraldSite>[0] = {}) {
  const site = await heraldSite(options)
  onTestFinished(() => site.close())
  const ok = async (method: string, path: string, body?: unknown, who?: "owner" | "ada"): Promise<Answer> => {
    const [status, answer] = await site.ask(method, path, body, who)
    expect(status, JSON.stringify(answer)).toBeLessThan(300)
    return answer as Answer
  }
  const jobs = async (who?: "owner" | "ada"): Promise<readonly Answer[]> =>
    (await ok("GET", "/api/schedules", undefined, who))["jobs"] as readonly Answer[]
  const runs = async (id: unknown) =>
    (await ok("GET", `/api/schedules/${id}/runs`))["runs"] as readonly Answer[]
  /** Does it, and waits until somebody was told. */
  const done = async (id: unknown): Promise<Answer> => {
    const before = (await runs(id)).length
    await ok("POST", `/api/schedules/${id}/run`, {})
    return await vi.waitFor(async () => {
      const [run, ...earlier] = await runs(id)
      expect(earlier).toHaveLength(before)
      expect(run?.["delivery"]).toMatchObject({ state: expect.stringMatching(/delivered|none/) })
      return run ?? {}
    }, WAIT)
  }
  /** What is said in a chat, as the model and the page see it. */
  const said = async (session: string) => {
    return JSON.stringify(await ok("GET", `/api/sessions/${encodeURIComponent(session)}`))
  }
  return { ...site, ok, jobs, runs, done, said }
}

const create = {
  name: "weather",
  when: "every weekday at 8",
  timezone: "Europe/Oslo",
  payload: { type: "agent_turn", prompt: "What should I wear?" },
}

test("F7, F8: what is asked for in a chat, in any language, comes into that chat, at the person's time", async () => {
  const { ok, jobs, done, said, model } = await place({
    answer: (request: WireRequest) =>
      lastText(request).includes("Erinnere mich")
        ? [
            call("cron", {
              action: "create",
              name: "mum",
              schedule: { type: "at", datetime: "2099-01-02T09:00:00" },
              payload: { type: "system_event", message: "Mama anrufen ☎️" },
            }),
          ]
        : "I shall.",
  })
  await ok("PUT", "/api/me/zone", { zone: "Asia/Tokyo" })
  await ok("POST", "/api/sessions/web:chat/messages", {
    message: "Erinnere mich morgen um neun, Mama anzurufen",
  })
  await vi.waitFor(async () => expect(await jobs()).toHaveLength(1), WAIT)
  const [job] = await jobs()
  expect(job).toMatchObject({
    name: "mum",
    to: { type: "chat", namespace: "web:chat" },
    next_run: "2099-01-02T00:00:00.000Z",
    words: "Once, Friday, 2 January 2099 at 09:00",
  })
  await vi.waitFor(async () => expect(await said("web:chat")).toContain("I shall."), WAIT)
  const requests = model.requests.length
  expect(await done(job?.["id"])).toMatchObject({ outcome: "completed", delivery: { state: "delivered" } })
  expect(await said("web:chat")).toContain('"origin":{"kind":"schedule","name":"mum"}')
  expect(await said("web:chat")).toContain("Mama anrufen ☎️")
  // A reminder asks no model.
  expect(model.requests).toHaveLength(requests)
})

test("R12, F18: a page's job: read as it is said, done now, paused, changed, deleted and back, each person's their own", async () => {
  const { ok, ask, jobs, done, said, model } = await place({
    config: '[provider]\ncheap_model = "small"',
    answer: () => "A coat.",
  })
  expect(
    await ok("POST", "/api/schedules/preview", { when: create.when, timezone: create.timezone }),
  ).toMatchObject({
    words: "Every weekday at 08:00",
    schedule: { expression: "0 8 * * MON-FRI", timezone: "Europe/Oslo" },
    times: [expect.any(String), expect.any(String), expect.any(String)],
  })
  const { id } = await ok("POST", "/api/schedules", { ...create, lightweight: true, cooldown_secs: 60 })
  const path = `/api/schedules/${id}`
  expect(await done(id)).toMatchObject({ outcome: "completed", text: "A coat." })
  expect(model.requests.at(-1)?.body).toMatchObject({ model: "small" })
  expect(await said(`web:job-${id}`)).toContain("A coat.")
  expect((await jobs())[0]).toMatchObject({
    last: { outcome: "completed", delivery: { state: "delivered" } },
  })

  expect(await ok("POST", `${path}/pause`, {})).toMatchObject({ status: "paused" })
  expect(await ok("POST", `${path}/resume`, {})).toMatchObject({ status: "active" })
  // R12, F18: what is not named stays, whatever is in it.
  const name = 'the "best"\nof Zoë’s <b>'
  expect(await ok("PATCH", path, { name })).toMatchObject({
    name,
    cooldown_secs: 60,
    words: "Every weekday at 08:00",
  })
  expect(await ok("PATCH", path, { cooldown_secs: null, when: "every 2 hours" })).toMatchObject({
    words: "Every 2 hours",
  })

  expect(await ask("GET", path, undefined, "ada")).toMatchObject([404, { code: "not_found" }])
  expect(await ask("DELETE", path, undefined, "ada")).toMatchObject([404, {}])
  expect(await jobs("ada")).toEqual([])
  const mine = await ok("POST", "/api/schedules", create, "ada")
  expect(await jobs("ada")).toMatchObject([{ id: mine["id"] }])

  expect(await ok("DELETE", path)).toEqual({ deleted: true })
  expect(await jobs()).toEqual([])
  expect((await ask("POST", `${path}/run`, {}))[0]).toBe(404)
  expect(await ok("POST", `${path}/restore`, {})).toMatchObject({ status: "active" })
  expect(await jobs()).toMatchObject([{ id, last: { outcome: "completed" } }])
})

test("a job waits while its person is answered, and another person's does not", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked: string[] = []
  const { ok, done, jobs, runs } = await place({
    answer: (request: WireRequest) => {
      const text = lastText(request)
      asked.push(text)
      return text === "Slow." ? () => promise.then(() => "Here.") : "A coat."
    },
  })
  await ok("POST", "/api/sessions/web:chat/messages", { message: "Slow." })
  await vi.waitFor(() => expect(asked).toEqual(["Slow."]), WAIT)
  const mine = await ok("POST", "/api/schedules", create)
  await ok("POST", `/api/schedules/${mine["id"]}/run`, {})
  const prompt = "And Ada?"
  const hers = await ok(
    "POST",
    "/api/schedules",
    { ...create, payload: { type: "agent_turn", prompt } },
    "ada",
  )
  await ok("POST", `/api/schedules/${hers["id"]}/run`, {}, "ada")
  await vi.waitFor(() => expect(asked).toEqual(["Slow.", prompt]), WAIT)
  expect(await jobs()).toMatchObject([{ running: 1 }])
  resolve()
  await vi.waitFor(async () => expect(await runs(mine["id"])).toMatchObject([{ outcome: "completed" }]), WAIT)
  expect(asked).toEqual(["Slow.", prompt, "What should I wear?"])
  await done(mine["id"])
})

test("what cannot be is refused with what to change", async () => {
  const { ask } = await place()
  const post = (more: object, who?: "ada") => ask("POST", "/api/schedules", { ...create, ...more }, who)
  for (const [more, status, code] of [
    [{ when: "when it rains" }, 400, "when_unclear"],
    [{ when: 5 }, 400, "invalid_input"],
    [{ when: "in 10 seconds" }, 200, undefined],
    [{ when: "every second" }, 400, "schedule_too_often"],
    [{ when: "every 30 seconds" }, 400, "schedule_too_often"],
    [{ when: undefined, schedule: { type: "every", interval_ms: 0 } }, 400, "schedule_invalid"],
    [{ when: undefined, schedule: { type: "at", datetime: "2020-01-01T09:00" } }, 400, "schedule_past"],
    [{ when: undefined, schedule: { type: "cron", expression: "0 0 30 2 *" } }, 400, "schedule_never"],
    [{ when: undefined }, 400, "schedule_invalid"],
    [{ timezone: "Mars/Olympus" }, 400, "invalid_input"],
    [{ name: "" }, 400, "job_invalid"],
    [{ agent: "nobody" }, 400, "invalid_input"],
    [{ payload: { type: "agent_turn" } }, 400, "job_invalid"],
    [{ to: { type: "chat", namespace: "ada:chat" } }, 404, "not_found"],
    [{ to: { type: "channel", id: "general" } }, 400, "invalid_input"],
    [{ to: "own" }, 400, "invalid_input"],
  ] as const) {
    const [is, answer] = await post(more)
    expect([is, (answer as Answer)["code"]], JSON.stringify(more)).toEqual([status, code])
  }
  const channel = { to: { type: "channel", id: "300000000000000000" } }
  expect(await post(channel, "ada")).toMatchObject([403, { code: "forbidden" }])
})

test("F6: results reach Discord, tried again when it fails, and the outcome is another thing", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const channel = discord.addChannel(discord.addGuild("home"), "kitchen")
  const { ok, runs, done } = await place({
    config: `[discord]\nenabled = true\ntoken = "${discord.token}"`,
    discordApi: discord.api,
    answer: () => "Soup.",
  })
  expect(await ok("GET", "/api/schedules/channels")).toEqual({
    channels: [{ id: channel, name: "kitchen", guild: "home" }],
  })
  expect(await ok("GET", "/api/schedules/channels", undefined, "ada")).toEqual({ channels: [] })
  const { id } = await ok("POST", "/api/schedules", { ...create, to: { type: "channel", id: channel } })
  discord.fail("POST", `/channels/${channel}/messages`, 403)
  expect(await done(id)).toMatchObject({
    outcome: "completed",
    delivery: { state: "delivered", attempts: 2 },
  })
  expect(discord.messages(channel)).toMatchObject([{ content: "**weather**\nSoup." }])
  const lost = await ok("POST", "/api/schedules", {
    ...create,
    to: { type: "channel", id: "300000000000000009" },
  })
  await ok("POST", `/api/schedules/${lost["id"]}/run`, {})
  await vi.waitFor(
    async () =>
      expect(await runs(lost["id"])).toMatchObject([
        {
          outcome: "completed",
          delivery: { state: "failed", error: expect.stringContaining("no such server, channel") },
        },
      ]),
    WAIT,
  )
})

test("F6: what is asked for in Discord is told there, without anybody who agrees", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const ada = discord.addUser("ada")
  const channel = discord.addChannel(discord.addGuild("home"), "kitchen")
  await place({
    config: `[discord]\ntoken = "${discord.token}"`,
    discordApi: discord.api,
    answer: (request: WireRequest) => {
      const said = JSON.stringify(request.body)
      const [, id] = /\(id: ([0-9a-f]+)\)/.exec(said) ?? []
      if (said.includes("has begun")) return "I did."
      if (id !== undefined) return call("cron", { action: "run_now", id })
      const schedule = { type: "cron", expression: "0 17 * * *" }
      const payload = { type: "system_event", message: "Take it out." }
      return call("cron", { action: "create", name: "tea", schedule, payload })
    },
  })
  await discord.until(() => discord.connected > 0)
  discord.write(ada, channel, {
    content: `<@${discord.bot.id}> remind me of the tea`,
    mentions: [discord.bot],
  })
  await discord.until(() =>
    discord.messages(channel).some(({ content }) => content === "**tea**\nTake it out."),
  )
})

test("a chat that is gone loses nothing: the job's own chat has it; a failure is told as well", async () => {
  const { ok, done, said } = await place({
    answer: (request: WireRequest) => {
      if (lastText(request).includes("wear")) throw new Error("broken")
      return "Hello."
    },
  })
  await ok("POST", "/api/sessions/web:old/messages", { message: "Hi" })
  const reminder = { ...create, payload: { type: "system_event", message: "Stand up." } }
  const to = { type: "chat", namespace: "web:old" }
  const { id } = await ok("POST", "/api/schedules", { ...reminder, to })
  await done(id)
  expect(await said("web:old")).toContain("Stand up.")
  await ok("DELETE", "/api/sessions/web:old")
  await done(id)
  expect(await said(`web:job-${id}`)).toContain("Stand up.")
  const failing = await ok("POST", "/api/schedules", create)
  expect(await done(failing["id"])).toMatchObject({ outcome: "failed", delivery: { state: "delivered" } })
  expect(await said(`web:job-${failing["id"]}`)).toContain("This did not work")
  // Sessions of firings are nobody's chats.
  const { sessions } = await ok("GET", "/api/sessions")
  expect(JSON.stringify(sessions)).not.toContain("~cron")
})

test("D5: jobs of the file are done, and those of the original taken over once, at their times", async () => {
  const { ok, ask, jobs, done, folder } = await place({
    answer: () => "Good morning.",
    config: (folder) => {
      const original = [
        {
          id: "1",
          name: "stand-up",
          schedule: { type: "cron", expression: "30 9 13 * 5" },
          payload: { type: "agent_turn", prompt: "Who is in?" },
          delivery: "silent",
          namespace: "web",
          auto_approve: true,
          cooldown_secs: 60,
          status: "paused",
        },
        {
          id: "2",
          name: "over",
          schedule: { type: "at", datetime: "2020-01-01T00:00:00Z" },
          status: "completed",
        },
        { id: "3", name: "broken", schedule: { type: "cron", expression: "* *" }, status: "active" },
      ]
      writeFileSync(join(folder, "cron_jobs.json"), JSON.stringify(original))
      return `[cron]\npath = "${join(folder, "cron_jobs.json")}"\n[scheduler]\nenabled = true\n[[scheduler.jobs]]\nname = "morning"\nschedule = "0 7 * * *"\nchannel = "own"\nmessage = "Greet me."\ntimezone = "Europe/Oslo"`
    },
  })
  expect(folder).not.toBe("")
  const all = await jobs()
  expect(all.toSorted((a, b) => String(a["name"]).localeCompare(String(b["name"])))).toMatchObject([
    { name: "morning", from_file: true, words: "Every day at 07:00", schedule: { timezone: "Europe/Oslo" } },
    {
      name: "stand-up",
      from_file: false,
      status: "paused",
      delivery: "announce",
      cooldown_secs: 60,
      schedule: { expression: "30 9 13 * +5", timezone: "UTC" },
    },
  ])
  const morning = all.find(({ name }) => name === "morning")
  expect(await done(morning?.["id"])).toMatchObject({ text: "Good morning." })
  expect(await ask("DELETE", `/api/schedules/${morning?.["id"]}`)).toMatchObject([
    409,
    { code: "job_in_file" },
  ])
  await ok("POST", `/api/schedules/${morning?.["id"]}/pause`, {})
})
