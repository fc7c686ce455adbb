import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { expect, onTestFinished, test } from "vitest"
import { type Harness, harness, OWNER_KEY } from "./fixture.ts"

const PAGE = "<!doctype html><title>Page</title>"
const SCRIPT = `${"console.log(1)\n".repeat(200)}`

/** A built page beside a file that is nobody's business. */
async function built(): Promise<{ readonly folder: string; readonly secret: string }> {
  const root = await mkdtemp(join(tmpdir(), "orra-assets-"))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const folder = join(root, "dist")
  const secret = join(root, "secret.txt")
  await mkdir(join(folder, "assets"), { recursive: true })
  await mkdir(join(root, "outside"))
  await writeFile(secret, "top secret")
  await writeFile(join(root, "outside", "inner.txt"), "top secret")
  await writeFile(join(folder, "index.html"), PAGE)
  await writeFile(join(folder, "assets", "app-1a2b.js"), SCRIPT)
  await writeFile(join(folder, "icon.png"), Buffer.from([137, 80, 78, 71]))
  await symlink(secret, join(folder, "link.txt"))
  await symlink(join(root, "outside"), join(folder, "linked"))
  return { folder, secret }
}

/** An answer's bytes as they were sent: fetch would undo the coding. */
const bytes = async ({ url }: Harness, path: string, headers: Record<string, string>) => {
  return await new Promise<{ coding: string | undefined; body: Buffer }>((resolve) => {
    request(`${url}${path}`, { headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () =>
        resolve({ coding: incoming.headers["content-encoding"], body: Buffer.concat(chunks) }),
      )
    }).end()
  })
}

test("serves the page, its files, and the page again for any path of its own", async () => {
  const { folder } = await built()
  const { send } = await harness({ assets: folder })
  const page = { accept: "text/html,*/*;q=0.8" }
  for (const path of ["/", "/login", "/sessions/web%3Atalk", "/index.html"]) {
    const { status, headers, text } = await send(path, { headers: page })
    expect([status, text]).toEqual([200, PAGE])
    expect(headers["content-type"]).toBe("text/html; charset=utf-8")
    expect(headers["cache-control"]).toBe("no-cache")
  }
  const script = await send("/assets/app-1a2b.js")
  expect(script.text).toBe(SCRIPT)
  expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable")
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8")
  const head = await send("/assets/app-1a2b.js", { method: "HEAD" })
  expect([head.status, head.text, head.headers["content-type"]]).toEqual([
    200,
    "",
    script.headers["content-type"],
  ])
  expect((await send("/icon.png")).headers["content-type"]).toBe("image/png")
})

test("F24: what is not there is not there", async () => {
  const { folder } = await built()
  const { send } = await harness({ assets: folder })
  const html = { accept: "text/html" }
  for (const [path, headers] of [
    ["/api/nothing", html],
    ["/api/", html],
    ["/ws", html],
    ["/assets/gone.js", {}],
    ["/nothing", { accept: "application/json" }],
  ] as const) {
    const { status, json } = await send(path, { headers, key: OWNER_KEY })
    expect([status, json["code"]], path).toEqual([404, "not_found"])
  }
  expect((await send("/", { headers: html, body: {} })).status).toBe(404)
})

test("nothing outside of the folder, and no link in it", async () => {
  const { folder, secret } = await built()
  const { send } = await harness({ assets: folder })
  const paths = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/%252e%252e%252fsecret.txt",
    "/assets/../../secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/..\\secret.txt",
    "/..%5csecret.txt",
    "//secret.txt",
    `/${secret}`,
    secret,
    "/link.txt",
    "/linked/inner.txt",
    "/assets/app-1a2b.js%00",
    "/assets/app-1a2b.js/",
    "/ASSETS/app-1a2b.js",
    "/constructor",
    "/__proto__",
  ]
  for (const path of paths) {
    const { status, text } = await send(path)
    expect([400, 404], path).toContain(status)
    expect(text).not.toContain("top secret")
  }
})

test("compresses what is text, as the client allows", async () => {
  const { folder } = await built()
  const gateway = await harness({ assets: folder })
  const coded = (accept: string, path = "/assets/app-1a2b.js") =>
    bytes(gateway, path, { "accept-encoding": accept })
  const br = await coded("gzip, deflate, br")
  expect([br.coding, brotliDecompressSync(br.body).toString()]).toEqual(["br", SCRIPT])
  const gzip = await coded("gzip;q=0.5")
  expect([gzip.coding, gunzipSync(gzip.body).toString()]).toEqual(["gzip", SCRIPT])
  for (const accept of ["", "identity", "br;q=0", "br; q=0.0, x-gzip", "deflate", "brr"])
    expect([accept, (await coded(accept)).coding]).toEqual([accept, undefined])
  expect((await coded("br", "/icon.png")).coding).toBeUndefined()
})

test("the folder may be written in any way", async () => {
  const { folder } = await built()
  const spellings = [
    `${folder}/`,
    `${folder}/../dist`,
    relative(process.cwd(), folder),
    `./${relative(process.cwd(), folder)}`,
  ]
  for (const assets of spellings) {
    const { send } = await harness({ assets })
    expect((await send("/assets/app-1a2b.js")).status, assets).toBe(200)
  }
})

test("without a page there is none", async () => {
  const { send } = await harness()
  expect((await send("/", { headers: { accept: "text/html" } })).status).toBe(404)
})
