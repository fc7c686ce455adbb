import { Namespace, PolicyRegistry, type ToolRisk } from "@orra/core"
import { expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import { buildTools, POLICY, toolNames } from "./tools.ts"

const config = (toml = "") => parseConfig(toml, "a.toml", {}).config

test("on by default are the clock and the web, and those that are on are those that are listed", async () => {
  for (const toml of ["", "[tools]\nweb_fetch = false\n"]) {
    const tools = await buildTools(config(toml), "UTC")
    expect(tools.map(({ definition }) => definition.name)).toEqual(toolNames(config(toml)))
  }
  expect(toolNames(config())).toEqual(["current_time", "web_fetch"])
  expect(toolNames(config("[tools]\nweb_fetch = false\nexec = true\n"))).toEqual(["current_time"])
})

test("what reads is allowed to whom it is set for; nothing else is, to anybody", async () => {
  const policies = new PolicyRegistry()
  const ada = Namespace.of("ada", "session")
  policies.set(Namespace.of("ada"), POLICY)
  const decide = (namespace: Namespace, tool: string, risk: ToolRisk) =>
    policies.explain(namespace, { tool, risk, arguments: {} }).decision
  for (const { definition, risk } of await buildTools(config(), "UTC")) {
    expect(decide(ada, definition.name, risk), definition.name).toBe("allow")
    expect(decide(Namespace.of("bob"), definition.name, risk), definition.name).toBe("deny")
  }
  for (const risk of ["write", "exec", "network"] as const) expect(decide(ada, "another", risk)).toBe("deny")
})
