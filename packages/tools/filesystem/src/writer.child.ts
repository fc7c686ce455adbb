// The process that the crash test kills: it writes one file again and again, each time whole in another letter.

import { say } from "@orra/testing/process"
import { fixture } from "./fixture.ts"

const [root = ""] = process.argv.slice(2)
const files = fixture({ root })
for (let n = 0; ; n++) {
  const letter = String.fromCharCode(97 + (n % 26))
  await files.call("write_file", { path: "file.txt", content: letter.repeat(300_000) })
  await say(letter)
}
