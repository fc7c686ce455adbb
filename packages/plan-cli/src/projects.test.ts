import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { Bench } from "../../plan-engine/src/engine-fixture.ts"
import { freePort, Home } from "./fixture.ts"

let bench: Bench
let home: Home
beforeEach(async () => {
  bench = await new Bench().listen()
  home = new Home()
})
afterEach(async () => {
  await bench.close()
  home.remove()
})

const add = (name: string) => home.quick(["projects", "add", name, "--server", bench.url])
const put = (config: unknown, path = home.configPath) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config))
}

describe("projects", () => {
  test("a project is added by the real command, and the next one finds its engine with it", async () => {
    const added = await home.orra(["projects", "add", "shop", "--server", bench.url])
    expect(added).toMatchObject({ code: 0, stderr: "" })
    expect(added.stdout).toContain('✔ Project "shop" is registered.')
    const health = await home.orra(["health", "--json"])
    expect(JSON.parse(health.stdout)).toMatchObject({ healthy: true, server: bench.url })
    const list = await home.orra(["ps"])
    expect(list.stdout).toBe('There is nothing yet. Try: orra verify run "What is wanted" -d field:value\n')
  })

  test("the first one is current, and another is when it is used", async () => {
    await add("shop")
    await add("other")
    expect((await home.quick(["projects", "ls"])).stdout).toMatch(/^\* {2}shop/m)
    expect((await home.quick(["projects", "use", "other"])).code).toBe(0)
    expect((await home.quick(["projects", "ls"])).stdout).toMatch(/^\* {2}other/m)
    expect(home.config.current_project).toBe("other")
  })

  test("a name that is taken is not registered again", async () => {
    await add("shop")
    const again = await add("shop")
    expect(again).toMatchObject({ code: 1, stdout: "" })
    expect(again.stderr).toBe(
      '⨯ Error: There is a project "shop" already.\n  Take another name, or use it with: orra projects use shop\n',
    )
  })

  test("one that is there already is known by a key of it, which can be read", async () => {
    const { id } = await bench.project()
    const added = await home.quick(["projects", "add", "mine", "--server", bench.url, "--key", "-"], {
      stdin: `${bench.key}\n`,
    })
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('Project "mine" is known here.') })
    expect(home.project("mine")).toMatchObject({ id, cli_auth: bench.key })
    expect((await home.quick(["api-keys", "ls"])).code).toBe(0)
    const wrong = await home.quick([
      "projects",
      "add",
      "other",
      "--server",
      bench.url,
      "--key",
      "sk-orra-v1-0",
    ])
    expect(wrong.stderr).toContain("does not accept the key")
  })

  test("-p takes another project, and says which there are when it is none", async () => {
    await add("shop")
    const unknown = await home.quick(["ps", "-p", "shpo"])
    expect(unknown).toMatchObject({
      code: 1,
      stderr: '⨯ Error: There is no project "shpo".\n  There are: shop\n',
    })
    expect((await home.quick(["ps", "-p", "constructor"])).code).toBe(1)
  })
})

describe("the file", () => {
  test("is for its owner alone, whatever it was, and no half of it is left", async () => {
    put({ current_project: "", projects: {}, theme: "dark" })
    await add("shop")
    expect(statSync(home.configPath).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(home.configPath))).toEqual(["config.json"])
    expect(home.config).toMatchObject({ theme: "dark", current_project: "shop" })
  })

  test("that is a link stays one", async () => {
    const real = join(home.folder, "dotfiles", "orra.json")
    put({ current_project: "", projects: {} }, real)
    mkdirSync(dirname(home.configPath), { recursive: true })
    symlinkSync(real, home.configPath)
    await add("shop")
    expect(JSON.parse(readFileSync(real, "utf8"))).toHaveProperty("projects.shop")
    expect(statSync(real).mode & 0o777).toBe(0o600)
  })

  test("of the original is read as it is, and keeps what it has", async () => {
    const project = await bench.project()
    put({
      current_project: "shop",
      projects: {
        shop: {
          id: project.id,
          cli_auth: bench.key,
          api_key: { mine: bench.key },
          server_addr: `${bench.url}/`,
          webhooks: null,
          compensation_failure_webhooks: null,
        },
      },
    })
    expect(await home.quick(["ps"])).toMatchObject({ code: 0 })
    await add("other")
    expect(home.project("shop")).toMatchObject({ api_key: { mine: bench.key }, webhooks: null })
  })

  test("that is broken is said to be, with what to do, and config reset keeps it aside", async () => {
    put('{"current_project":')
    const broken = await home.quick(["ps"])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain(`The file ${home.configPath} is no configuration of orra`)
    expect(broken.stderr).toContain("orra config reset")
    expect((await home.quick(["config", "reset"])).stdout).toContain(`${home.configPath}.bak`)
    expect(statSync(`${home.configPath}.bak`).mode & 0o777).toBe(0o600)
    expect((await home.quick(["projects", "ls"])).stdout).toContain("There is no project yet.")
  })
})

describe("an engine", () => {
  test("that is not there is said to be, with what to do", async () => {
    const away = `http://127.0.0.1:${await freePort()}`
    put({
      current_project: "far",
      projects: { far: { id: "p_1", cli_auth: "sk-orra-v1-0", server_addr: away } },
    })
    expect(await home.quick(["ps"])).toEqual({
      code: 1,
      stdout: "",
      stderr: `⨯ Error: The engine at ${away} cannot be reached: ECONNREFUSED.\n  Start it with npx @orra/plan-engine, or correct server_addr of the project in the configuration file.\n`,
    })
    expect(JSON.parse((await home.quick(["ps", "--json"])).stderr)).toMatchObject({
      error: { code: "engine_unreachable" },
    })
    expect((await home.quick(["version"])).stdout).toBe("Client Version: v0.0.0\nServer Version: unknown\n")
  })

  test("that does not know the key, or lets nobody register, says so", async () => {
    put({
      current_project: "x",
      projects: { x: { id: "p_1", cli_auth: "sk-orra-v1-0", server_addr: bench.url } },
    })
    const stranger = await home.quick(["ps"])
    expect(stranger.stderr).toContain(`⨯ Error: The engine at ${bench.url} does not accept the key.`)
    const guarded = await new Bench(undefined, { adminKey: "admin-key" }).listen()
    const refused = await home.quick(["projects", "add", "shop", "--server", guarded.url])
    expect(refused.stderr).toContain("ORRA_ADMIN_KEY")
    const allowed = await home.quick(["projects", "add", "shop", "--server", guarded.url], {
      env: { ORRA_ADMIN_KEY: "admin-key" },
    })
    expect(allowed.code).toBe(0)
    await guarded.close()
  })
})
