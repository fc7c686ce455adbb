import { expect, test } from "vitest"
import { bench, textOf } from "./fixture.ts"

test("runs a program and says what it wrote and how it ended", async () => {
  const { call } = bench({ allow: ["echo"] })
  const done = await call({ command: "echo 'Hello  world' '$HOME'" })
  expect(textOf(done)).toBe("Hello  world $HOME")
  expect(done).toMatchObject({
    status: "ok",
    structured: {
      exit_code: 0,
      signal: null,
      duration_ms: expect.any(Number),
      ended_by: null,
      stdout: { bytes: 19, cut: false, binary: false },
      stderr: { bytes: 0 },
      left_behind: 0,
    },
  })
})
