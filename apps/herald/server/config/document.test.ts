import { expect, test } from "vitest"
import { configurationPage } from "./document.ts"

// After a change of the settings: `pnpm vitest run -u apps/herald/server/config/document.test.ts`.
test("the configuration page says what the settings are", async () => {
  await expect(configurationPage()).toMatchFileSnapshot("../../../../docs/herald/configuration.md")
})
