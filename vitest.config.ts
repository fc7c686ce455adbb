import { defineConfig } from "vitest/config"

/** Workspace packages resolve to their sources, so that a test never runs against a stale build. */
const conditions = ["@orra/source"]

export default defineConfig({
  resolve: { conditions: [...conditions, "module", "node", "development|production"] },
  ssr: { resolve: { conditions: [...conditions, "module", "node", "development|production"] } },
  test: {
    include: ["packages/**/src/**/*.test.ts"],
  },
})
