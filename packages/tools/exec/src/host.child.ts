import { callTool, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { heard } from "@orra/testing/process"
import { execTool } from "./index.ts"

/** A host that runs a script, and exits when it is told to, whatever runs. */
const [directory = "", text = ""] = process.argv.slice(2)
const exec = execTool({ directory, isolation: "off", allow: [{ program: "sh", args: ["-c", text] }] })
const policies = new PolicyRegistry()
policies.set(Namespace.of("acme"), exec.policy)
const runtime = new Runtime({
  provider: scriptedProvider([]),
  tools: [exec.tool],
  hooks: [exec.hooks],
  policies,
})
void callTool(runtime, Namespace.of("acme", "bob"), "exec", { command: `sh -c '${text}'` })
for await (const _ of heard()) process.exit(0)
