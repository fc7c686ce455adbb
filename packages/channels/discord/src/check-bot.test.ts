import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { checkBot } from "./index.ts"

async function place() {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  return discord
}

test("says who a bot is and whether it may read messages, and connects nothing", async () => {
  const { api, token, requests, connected } = await place()
  expect(await checkBot({ api, token, filter: "all" })).toMatchObject({ readsMessages: true })
  expect(requests.length).toBe(1)
  expect(connected).toBe(0)
})

test("what it cannot do is said before it connects", async () => {
  const { api, token, forbidIntents, close } = await place()
  forbidIntents(1 << 15)
  expect(await checkBot({ api, token, filter: "mentions" })).toMatchObject({ readsMessages: false })
  await expect(checkBot({ api, token, filter: "all" })).rejects.toMatchObject({ code: "discord_intents" })
  await expect(checkBot({ api, token: "another-token", filter: "dm" })).rejects.toMatchObject({
    code: "discord_token",
    message: expect.not.stringContaining("another-token"),
  })
  await close()
  await expect(checkBot({ api, token, filter: "dm" })).rejects.toMatchObject({ code: "discord_unavailable" })
})
