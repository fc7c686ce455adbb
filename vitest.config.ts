import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

/** Workspace packages resolve to their sources, so that a test never runs against a stale build. */
const conditions = ["@orra/source", "module", "node", "development|production"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Most tests wait for a socket, a disk or a process; leaving one core idle for Vitest itself would cost a third.
    maxWorkers: availableParallelism(),
    setupFiles: ["./scripts/loopback-only.mjs"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/**/src/**/*.test.ts",
            "apps/*/{server,cli,web}/**/*.test.{ts,tsx}",
            "benchmarks/**/*.test.ts",
            "scripts/**/*.test.ts",
          ],
          // A machine that does other things as well is no failure.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Built programs, real processes, a real browser: one file at a time, after everything else.
        extends: true,
        test: {
          name: "e2e",
          include: ["{apps,examples}/*/e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
