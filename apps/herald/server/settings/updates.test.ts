import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { create } from "tar"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "../fixture.ts"
import { compareVersions } from "./updates.ts"

const LOG = `# @orra/herald

## 1.3.0

- Now it sings. <script>alert(1)</script>

## 1.2.10

- A repair.

## 1.2.3

- What is here already.
`

/** A package registry on loopback that has this version. */
async function registry(version: string, { spoilt = false, elsewhere = "" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "herald-registry-"))
  mkdirSync(join(folder, "package"))
  writeFileSync(join(folder, "package", "CHANGELOG.md"), LOG)
  await create({ cwd: folder, file: join(folder, "herald.tgz"), gzip: true }, ["package"])
  const archive = readFileSync(join(folder, "herald.tgz"))
  rmSync(folder, { recursive: true })
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    if (request.url === "/herald.tgz") return void response.end(spoilt ? archive.subarray(1) : archive)
    if (request.url !== "/@orra%2fherald/latest") return void response.writeHead(404).end()
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`
    response.end(JSON.stringify({ version, dist: { tarball: elsewhere || `${url}/herald.tgz`, integrity } }))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(() => void server.close())
  return { url, asked }
}

async function check(url: string) {
  const site = await heraldSite({ config: `[updates]\nregistry = "${url}"\n` })
  onTestFinished(() => site.close())
  return { ...site, check: () => site.ask("POST", "/api/settings/updates/check", {}) }
}

test("a newer version is found when somebody asks, with what is new since this one; nothing else is asked or replaced", async () => {
  const { url, asked } = await registry("1.3.0")
  const { check: find } = await check(url)
  expect(asked).toEqual([])
  const [status, answer] = await find()
  expect([status, answer]).toEqual([
    200,
    {
      current: "1.2.3",
      version: "1.3.0",
      isNewer: true,
      notes: "## 1.3.0\n\n- Now it sings. <script>alert(1)</script>\n\n## 1.2.10\n\n- A repair.",
      command: "git pull && npm start",
    },
  ])
  expect(asked).toEqual(["/@orra%2fherald/latest", "/herald.tgz"])
})

test("without a newer one its package is not even read", async () => {
  const { url, asked } = await registry("1.2.3")
  const { check: find } = await check(url)
  expect(await find()).toMatchObject([200, { isNewer: false, notes: "" }])
  expect(asked).toEqual(["/@orra%2fherald/latest"])
})

test("S16: a package that is not what it is announced as is said to be that", async () => {
  const { url } = await registry("1.3.0", { spoilt: true })
  expect(await (await check(url)).check()).toMatchObject([422, { code: "update_unverified" }])
})

test("a registry does not send Herald elsewhere, and one that is not there is said to be that", async () => {
  const other = await registry("1.3.0")
  const { url } = await registry("1.3.0", { elsewhere: `${other.url}/herald.tgz` })
  expect(await (await check(url)).check()).toMatchObject([200, { isNewer: true, notes: "" }])
  expect(other.asked).toEqual([])
  for (const nowhere of [`${url}/nothing`, "http://127.0.0.1:9"])
    expect(await (await check(nowhere)).check()).toMatchObject([422, { code: "update_unavailable" }])
})

test("versions are compared by their numbers, and what comes before a release is older than it", () => {
  const sorted = ["1.2.3", "1.2.10-beta.2", "1.2.10-beta.11", "1.2.10", "1.10.0", "2.0.0"]
  expect([...sorted].reverse().toSorted(compareVersions)).toEqual(sorted)
  expect(compareVersions("1.2.3", "1.2.3")).toBe(0)
})
