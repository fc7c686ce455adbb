import { existsSync } from "node:fs"
import { textOf } from "@orra/testing"
import { expect, test } from "vitest"
import { bench, script } from "./fixture.ts"

const SECRETS = {
  ANTHROPIC_API_KEY: "canary-1",
  AWS_SECRET_ACCESS_KEY: "canary-2",
  NODE_OPTIONS: "--require ./canary-3.js",
  LD_PRELOAD: "./canary-4.so",
  GIT_SSH_COMMAND: "canary-5",
  BASH_ENV: "./canary-6",
  CLOUDSDK_PYTHON: "./canary-7",
  PYTHONPATH: "canary-8",
  npm_config_registry: "canary-9",
  "BASH_FUNC_ls%%": "() { canary-10; }",
}

test("the environment is a list of names, and nothing of the host's comes with it", async () => {
  const before = { ...process.env }
  Object.assign(process.env, SECRETS)
  try {
    const { call } = bench({
      allow: [{ program: "env", args: [] }],
      env: { MINE: "yes", LANG: "de_DE.UTF-8" },
    })
    const text = textOf(await call({ command: "env" }))
    expect(text).not.toContain("canary")
    const values = Object.fromEntries(text.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)))
    const names = Object.keys(values).filter((name) => !/^GIT_CONFIG_(KEY|VALUE)_\d+$/.test(name))
    expect(names.sort()).toEqual(
      [
        ...[
          "GIT_ALLOW_PROTOCOL",
          "GIT_CONFIG_COUNT",
          "GIT_CONFIG_GLOBAL",
          "GIT_CONFIG_NOSYSTEM",
          "GIT_PAGER",
        ],
        ...[
          "GIT_TERMINAL_PROMPT",
          "HOME",
          "LANG",
          "MINE",
          "NO_COLOR",
          "ORRA_EXEC",
          "PAGER",
          "PATH",
          "PWD",
          "TERM",
        ],
        ...["TMPDIR", ...(process.env["TZ"] === undefined ? [] : ["TZ"])],
      ].filter((name) => name !== "PWD"),
    )
    expect(values).toMatchObject({
      MINE: "yes",
      LANG: "de_DE.UTF-8",
      PATH: expect.stringMatching(/^\/[^.]*$/),
    })
  } finally {
    for (const name of Object.keys(SECRETS)) delete process.env[name]
    Object.assign(process.env, before)
  }
})

test("its home is its own, empty, and gone afterwards: no dotfile of a workspace is read", async () => {
  const { run, directory } = script("cd; pwd; ls -A; echo x > file; mktemp; echo y > ~/.curlrc")
  const [home = "", made = ""] = textOf(await run()).split("\n")
  expect(home).toMatch(/^\/.+/)
  expect(made.startsWith(home)).toBe(true)
  expect(home.startsWith(directory)).toBe(false)
  expect(existsSync(home)).toBe(false)
})

test("git runs nothing that a repository says, as far as it can be overruled, and no transport that is a command", async () => {
  const { run, directory } = script(`
    git init -q . && git config core.fsmonitor 'touch hacked-1; false' && git config core.pager 'touch hacked-2'
    printf '#!/bin/sh\\ntouch hacked-3\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
    echo '[alias]' > .gitconfig
    git status > /dev/null; git -c user.name=a -c user.email=b commit -q --allow-empty -m x; git --paginate log > /dev/null
    git clone -q 'ext::touch hacked-4' other
    ls -A`)
  const text = textOf(await run())
  expect(text).toContain(".git")
  expect(text).not.toContain("hacked")
  expect(text).toMatch(/transport 'ext' not allowed/)
  expect(existsSync(`${directory}/hacked-1`)).toBe(false)
})
