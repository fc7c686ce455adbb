import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { parseFlags } from "./flags.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const path = (name: string): string => `${root}apps/herald/deploy/${name}`
const read = (name: string): string => readFileSync(path(name), "utf8")

/** What stands behind `main.js` where each of them starts Herald. */
const started: Readonly<Record<string, readonly string[]>> = {
  Dockerfile: JSON.parse(/^ENTRYPOINT (.*)$/m.exec(read("Dockerfile"))?.[1] ?? "[]").slice(2),
  "herald.service": /^ExecStart=\S+ \S+main\.js (.*)$/m.exec(read("herald.service"))?.[1]?.split(" ") ?? [],
  "nixos.nix": /ExecStart = "\S+ \S+main\.js (.*)";/.exec(read("nixos.nix"))?.[1]?.split(" ") ?? [],
  "org.orra.herald.plist": [
    ...(/main\.js<\/string>(.*?)<\/array>/s.exec(read("org.orra.herald.plist"))?.[1] ?? "").matchAll(
      /<string>(.*?)<\/string>/g,
    ),
  ].map(([, text = ""]) => text),
}

test.each(Object.entries(started))("%s starts Herald with flags that it has", (_, flags) => {
  expect(flags.length).toBeGreaterThan(0)
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  expect(parseFlags(flags, "1.0.0", { out: say, error: say }), said.join("")).not.toHaveProperty("exit")
})

test("the image is made by scripts that there are", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const made = read("Dockerfile")
  expect(existsSync(`${root}${/node (scripts\/\S+?)\)/.exec(made)?.[1]}`)).toBe(true)
  expect(Object.keys(scripts)).toContain(/turbo run (\S+)/.exec(made)?.[1])
  expect(scripts["pack:herald"]).toContain(/pnpm (--filter @orra\/herald deploy \S+ \S+)/.exec(made)?.[1])
})

const has = (program: string): boolean => spawnSync(program, ["--version"]).status === 0

test.runIf(has("systemd-analyze"))("systemd finds nothing wrong with its unit", () => {
  const verify = ["verify", path("herald.service")]
  const { stderr } = spawnSync("systemd-analyze", verify, { encoding: "utf8" })
  // A machine without Node in /usr/bin says so of this unit, and nothing else is said of it.
  const said = stderr.split("\n").filter((line) => line.includes("herald.service"))
  expect(said.filter((line) => !line.includes("/usr/bin/node"))).toEqual([])
})

test.runIf(has("python3"))("launchd's property list can be read, and names one user in four places", () => {
  const script = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))"
  const list = JSON.parse(
    execFileSync("python3", ["-c", script, path("org.orra.herald.plist")], { encoding: "utf8" }),
  )
  expect(list).toMatchObject({
    Label: "org.orra.herald",
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
  })
  expect(JSON.stringify(list).match(/\/Users\/NAME\//g)).toHaveLength(4)
})

test.runIf(has("nix-instantiate"))("the module of NixOS is written as one", () => {
  const parsed = spawnSync("nix-instantiate", ["--parse", path("nixos.nix")], { encoding: "utf8" })
  expect(parsed.stderr).not.toContain("error")
  expect(parsed.status).toBe(0)
})
