import { expect, test } from "vitest"
import { abilitiesOf, askedOf, isAble } from "./abilities.ts"

test("tools are said in a person's words, each thing once", () => {
  expect(abilitiesOf(["web_fetch", "read_url", "current_time", "something_else"])).toEqual([
    "read web pages",
    "tell the time",
  ])
  expect(abilitiesOf(["notes__read", "notes__write", "mail__send"])).toEqual(["use notes", "use mail"])
  expect(abilitiesOf([])).toEqual([])
  expect([isAble(["read_url"], "webPages"), isAble(["web_search"], "webPages")]).toEqual([true, false])
})

test("what is asked about is what would be done, not what is only looked at", () => {
  const can = [
    "write_file",
    "exec",
    "list_channels",
    "send_message",
    "notes__read",
    "notes__write",
    "mail__send",
  ]
  expect(askedOf({ can, asks: ["write_file", "send_message", "notes__write", "mail__send"] })).toEqual([
    "write files in your folder",
    "write in Discord",
    "use mail",
  ])
  expect(askedOf({ can, asks: [] })).toEqual([])
})
