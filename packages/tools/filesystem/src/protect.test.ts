import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type Fixture, fixture } from "./fixture.ts"
import { folded, PROTECTED, protection } from "./protect.ts"

const isProtected = (path: string, patterns = PROTECTED) =>
  protection(patterns).path(`/srv/root/${path}`, "/srv/root")

test.each([
  ".env",
  "deep/er/.env",
  ".env.production",
  "prod.env",
  ".ENV",
  ".git/config",
  "sub/.git/hooks/pre-commit",
  ".git",
  ".GIT/config",
  ".g\u200cit/config",
  ".git./config",
  ".git /config",
  ".git::$INDEX_ALLOCATION/config",
  ".env:stream",
  ".ｅｎｖ",
  ".ssh/id_rsa",
  "keys/server.pem",
  "id_ed25519",
  ".aws/credentials",
  ".config/gh/hosts.yml",
  ".cargo/credentials.toml",
  ".npmrc",
  ".git/.env.example",
])("%s is protected", (path) => {
  expect(isProtected(path)).toBe(true)
})

test.each([
  "a.txt",
  ".env.example",
  "environment.ts",
  "my.envelope",
  ".github/workflows/ci.yml",
  ".gitignore",
  "src/git/config",
  "id_rsa.pub",
  ".config/app/settings",
  "cargo/credentials",
  "...",
])("%s is not", (path) => {
  expect(isProtected(path)).toBe(false)
})

test("the names of the sandbox itself protect nothing, absolute patterns what is below it", () => {
  expect(protection(PROTECTED).path("/home/bob/.config/gh/x", "/home/bob/.config/gh")).toBe(false)
  const { path } = protection(["/srv/root/private", "/var"])
  expect(path("/srv/root/private/x", "/srv/root")).toBe(true)
  expect(path("/srv/root/privateer", "/srv/root")).toBe(false)
  expect(path("/var/www/x", "/var/www")).toBe(false)
  expect(path("/var/www/x", "/")).toBe(true)
})

test("what comes later decides, and what is below a protected folder stays so", () => {
  expect(isProtected("a.key", ["*.key", "!a.key"])).toBe(false)
  expect(isProtected("a.key", ["!a.key", "*.key"])).toBe(true)
  expect(isProtected("private/a.key", ["private", "!a.key"])).toBe(true)
  expect(isProtected("docs/old/x.md", ["docs/old"])).toBe(true)
  expect(isProtected("more/docs/old/x.md", ["docs/old"])).toBe(true)
  expect(isProtected("a/b/c/d.txt", ["a/**/d.txt"])).toBe(true)
  expect(isProtected("anything", [])).toBe(false)
})

test("a plain name is folded as a strange one is", () => {
  for (const name of ["Read.Me", "a b. ", "é", ".", "...", "x:y"])
    expect(folded(folded(name))).toBe(folded(name))
  expect(folded("README.md")).toBe("readme.md")
})

let files: Fixture
beforeEach(() => {
  files = fixture({ protectedPaths: ["secret.txt", "!public.pem"] })
  files.write("root/.env", "KEY=1")
})
afterEach(() => files.remove())

test("nothing protected is read or changed, by whatever name", async () => {
  symlinkSync(".env", join(files.root, "alias.txt"))
  mkdirSync(join(files.root, ".git/hooks"), { recursive: true })
  symlinkSync(".git", join(files.root, "vc"))
  files.write("root/secret.txt", "x")
  files.write("root/public.pem", "x")
  const denied = { code: "path_protected" }
  for (const path of [".env", "alias.txt", "././/.env", "secret.txt", ".git/config"]) {
    await expect(files.call("read_file", { path }), path).rejects.toMatchObject(denied)
    await expect(files.call("write_file", { path, content: "x" }), path).rejects.toMatchObject(denied)
    await expect(
      files.call("edit_file", { path, old_string: "a", new_string: "b" }),
      path,
    ).rejects.toMatchObject(denied)
  }
  // What does not exist yet is as protected as what does.
  for (const path of ["vc/hooks/pre-commit", "new/.ssh/authorized_keys", ".ssh/config", "a/b/.npmrc"])
    await expect(files.call("write_file", { path, content: "x" }), path).rejects.toMatchObject(denied)
  expect(await files.call("read_file", { path: "public.pem" })).toContain("x")
})
