// The process that the crash test kills: it writes one file again and again, each time whole in another letter.

import { callTool, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { say } from "@orra/testing/process"
import { filesystemTools } from "./index.ts"

const [root = ""] = process.argv.slice(2)
const policies = new PolicyRegistry({ base: { allow: ["write_file"] } })
const runtime = new Runtime({ provider: scriptedProvider([]), tools: filesystemTools({ root }), policies })
for (let n = 0; ; n++) {
  const letter = String.fromCharCode(97 + (n % 26))
  const input = { path: "file.txt", content: letter.repeat(300_000) }
  await callTool(runtime, Namespace.of("writer", `${n}`), "write_file", input)
  await say(letter)
}
