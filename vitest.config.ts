import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { defineConfig } from "vitest/config"

/**
 * Workspace packages resolve to their sources, so that a test never runs against a stale build. Not "module", which means
 * builds for bundlers: Node cannot load all of them.
 */
const conditions = ["@orra/source", "node", "development|production"]

/**
 * The long run looks for what nobody has seen; the short one tries the same each time, so that it fails for a change and
 * not by chance. Said where fast-check is imported: most tests do without it.
 */
const seeded = {
  name: "orra:seeded",
  transform: (code: string): string | undefined =>
    code.includes('from "fast-check"')
      ? `${code}\nimport { configureGlobal as configureSeed } from "fast-check"\nconfigureSeed({ seed: 1 })\n`
      : undefined,
}

export default defineConfig({
  plugins: process.env["ORRA_TEST_FULL"] ? [] : [seeded],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // One file in two waits, for a socket, a disk, a process or a clock: with a file for each core half of them were idle.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    setupFiles: ["./scripts/loopback-only.mjs"],
    // Programs that tests start: half of what starting takes is compiling, which need not be done each time.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    // Only what hangs gets to these: a machine that does other things as well is no failure. Vitest's own limits are
    // 5, 10 and 1 s. A poll ends before its test does, and so says what it waited for.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
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
          // Tests leave nothing behind for those after them, so a process need not load everything anew for each file.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Built programs, real processes, a real browser: after everything else.
        extends: true,
        test: {
          name: "e2e",
          include: ["{apps,examples}/*/e2e/**/*.test.ts"],
          globalSetup: ["./scripts/built-pages.ts"],
          // Each of their steps takes several processes.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
