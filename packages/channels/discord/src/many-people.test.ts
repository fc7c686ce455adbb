import { type ModelRequest, messageText } from "@orra/core"
import { expect, test } from "vitest"
import { mention, place, said } from "./fixture.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined
const PEOPLE = FULL ? 200 : 12

const echo = ({ messages }: ModelRequest): string =>
  `re ${messageText(messages.at(-1) ?? { role: "user", parts: [] })}`

test("R8: many people who write at once are each answered, once and in order, within Discord's limits", async () => {
  const { discord, guild, errors } = await place({
    answer: echo,
    // Tighter in time than Discord's own 5 in 5 s, so that it takes less of it.
    discord: { limit: { requests: 5, ms: 100 } },
    channel: { editIntervalMs: 100 },
  })
  const channels = Array.from({ length: PEOPLE / 4 }, (_, index) =>
    discord.addChannel(guild, `channel ${index}`),
  )
  const people = Array.from({ length: PEOPLE }, (_, index) => ({
    user: discord.addUser(`person ${index}`),
    channel: channels[index % channels.length] ?? "",
  }))
  for (const text of ["first", "second"])
    for (const { user, channel } of people) mention(discord, user, channel, `${text} ${user.username}`)
  const wanted = people.map(({ user }) => [`re first ${user.username}`, `re second ${user.username}`])
  const answers = () =>
    people.map(({ user: { username }, channel }) =>
      said(discord, channel).filter((text) => text.endsWith(` ${username}`)),
    )
  await discord.until(() => answers().every((own) => own.length >= 2))
  expect(answers()).toEqual(wanted)
  expect(errors).toEqual([])
})
