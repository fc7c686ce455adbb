import { expect, test } from "vitest"
import { type Command, commandOffers } from "./command-offers.ts"

const ran: string[] = []
const commands: readonly Command[] = [
  {
    name: "model",
    note: "Choose a model",
    options: [
      { name: "Opus", note: "claude-opus", run: () => ran.push("opus") },
      { name: "Haiku", note: "claude-haiku", run: () => ran.push("haiku") },
    ],
    own: { form: /^\S+$/, note: "Another", run: (typed) => ran.push(`own ${typed}`) },
  },
  { name: "stop", note: "Stop", isIdle: true, run: () => ran.push("stop") },
  { name: "search", note: "Search", run: () => ran.push("search") },
]
const names = (text: string) => commandOffers(text, commands)?.map(({ name }) => name)

test("commands are offered after a / that begins the message; what is none stays a message", () => {
  expect(names("/")).toEqual(["/model", "/search"])
  expect(names("/S")).toEqual(["/search"])
  for (const text of ["", "new", " /s", "see /s", "//", "/etc/hosts", "/s\n", "/search for", "/x", "/x y"])
    expect(names(text), text).toBeUndefined()
})

test("what is of no use now is known when it is written out, and not offered before", () => {
  expect(names("/sto")).toBeUndefined()
  expect(names("/stop")).toEqual(["/stop"])
})

test("what may follow a command is completed, and is run with it", () => {
  expect(commandOffers("/mo", commands)).toEqual([
    { name: "/model", note: "Choose a model", text: "/model " },
  ])
  expect(names("/model ")).toEqual(["Opus", "Haiku"])
  expect(names("/MODEL claude-H")).toEqual(["Haiku"])
  expect(names("/model gpt-9")).toEqual(["gpt-9"])
  expect(names("/model of a ship")).toBeUndefined()
  for (const text of ["/model haiku", "/model gpt-9", "/search"]) commandOffers(text, commands)?.[0]?.run?.()
  expect(ran).toEqual(["haiku", "own gpt-9", "search"])
})
