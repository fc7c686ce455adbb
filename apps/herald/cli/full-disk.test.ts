import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fakeModelServer } from "@orra/testing"
import { expect, test } from "vitest"
import { heraldProcess } from "./herald-process.ts"

const headers = { authorization: "Bearer owner-key-0123456789", "content-type": "application/json" }
/** No file may grow beyond this: the database's log reaches it after a few long messages. */
const BLOCKS_OF_512 = 4_096

test.skipIf(process.platform === "win32")(
  "the disk fills while it answers: it says so, goes on, and has everything it acknowledged",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "herald-disk-"))
    await using model = await fakeModelServer([], { otherwise: () => "Heard." })
    writeFileSync(join(folder, "assistant.toml"), '[gateway]\nport = 0\napi_key = "owner-key-0123456789"\n')
    const env = { ANTHROPIC_API_KEY: "sk-ant-x", ANTHROPIC_BASE_URL: model.url, HERALD_KEYCHAIN: "off" }
    const herald = await heraldProcess({ cwd: folder, env, fileBlocks: BLOCKS_OF_512 })
    const say = async (index: number) => {
      const message = `${index} ${"long ".repeat(40_000)}`
      const answer = await fetch(`${herald.url}/api/chat`, {
        method: "POST",
        headers,
        body: JSON.stringify({ message, namespace: `web:${index}` }),
      })
      return { status: answer.status, text: await answer.text() }
    }
    let count = 0
    let refused = await say(0)
    while (refused.status === 200 && count < 100) refused = await say(++count)
    expect(refused.status).toBeGreaterThanOrEqual(500)
    expect(JSON.parse(refused.text)).toMatchObject({ code: expect.stringMatching(/^store_/) })

    const read = (url: string, index: number) => fetch(`${url}/api/sessions/web:${index}`, { headers })
    for (let index = 0; index < count; index++) expect((await read(herald.url, index)).status).toBe(200)
    expect((await fetch(`${herald.url}/health`)).status).toBe(200)
    expect(await herald.stop()).toBe(0)

    const again = await heraldProcess({ cwd: folder, env })
    for (let index = 0; index < count; index++)
      expect(await (await read(again.url, index)).text(), `chat ${index}`).toContain("Heard.")
    const { status } = await fetch(`${again.url}/api/chat`, {
      method: "POST",
      headers,
      body: JSON.stringify({ message: "There is room again", namespace: `web:${count}` }),
    })
    expect(status).toBe(200)
    await again.stop("SIGKILL")
    rmSync(folder, { recursive: true })
  },
)
