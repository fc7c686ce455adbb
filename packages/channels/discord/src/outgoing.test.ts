import { expect, test } from "vitest"
import { mention, place, said } from "./fixture.ts"
import type { OutgoingFile } from "./index.ts"

async function answered(attachments: (runId: string) => readonly OutgoingFile[]) {
  const { discord, ada, channel, errors } = await place({
    channel: { attachments: async (_, runId) => attachments(runId) },
  })
  mention(discord, ada, channel, "draw a heron")
  return { discord, channel, errors }
}

test("what a run has made is posted below its answer; what is too large is where it says", async () => {
  const large = new Uint8Array(10 * 1_048_576 + 1)
  const { discord, channel, errors } = await answered((runId) => [
    { name: "heron.png", bytes: new TextEncoder().encode(runId) },
    { name: "film.mp4", bytes: large, url: "https://herald.example/film.mp4" },
    { name: "more.mp4", bytes: large },
  ])
  await discord.until(() => said(discord, channel).length === 4)
  expect(said(discord, channel)).toEqual([
    "Hello.",
    "",
    "film.mp4 has 10.0 MB, more than Discord takes: <https://herald.example/film.mp4>",
    "more.mp4 has 10.0 MB, more than Discord takes.",
  ])
  const [file] = discord.messages(channel)[2]?.attachments ?? []
  expect(file?.filename).toBe("heron.png")
  expect(file && String(discord.fileOf(file))).toMatch(/\w{8}/)
  expect(errors).toEqual([])
})

test("a file that cannot be had takes nothing from the answer", async () => {
  const { discord, channel, errors } = await answered(() => {
    throw new Error("the disk is gone")
  })
  await discord.until(() => said(discord, channel).includes("Hello."))
  await expect.poll(() => errors).toMatchObject([{ message: "the disk is gone" }])
  expect(said(discord, channel)).toEqual(["Hello."])
})
