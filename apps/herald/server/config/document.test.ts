import { expect, test } from "vitest"
import { configurationPage, exampleFile } from "./document.ts"
import { parseConfig } from "./load.ts"

// After a change of the settings: `pnpm vitest run apps/herald/server/config/document.test.ts -u`.
test("the configuration page says what the settings are", async () => {
  await expect(configurationPage()).toMatchFileSnapshot("../../../../docs/herald/configuration.md")
})

test("the example is the defaults, and every line of it can be used", async () => {
  const example = exampleFile()
  await expect(example).toMatchFileSnapshot("../../../../docs/herald/assistant.example.toml")
  expect(parseConfig(example, "a.toml", {}).config).toEqual(parseConfig("", "a.toml", {}).config)
  const used = example.replace(/^# (?=[a-z_]+ = |\[\[)/gm, "")
  const env = { GATEWAY_API_KEY: "one-key", GATEWAY_KEYS_KEY: "another-key" }
  const { config, set } = parseConfig(used, "a.toml", env)
  expect(config.gateway.keys).toEqual([
    { name: "name", key: "another-key", namespace: "namespace", approve: false },
  ])
  expect([...set.keys()]).toContain("logging.level")
})
