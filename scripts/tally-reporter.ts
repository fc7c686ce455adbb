// Promises: how many tests passed, failed and were skipped, as JSON in the file ORRA_TALLY names. A file that
// could not be loaded and an error outside of any test each count as one failure. When something a test
// started keeps the process alive afterwards, it ends all the same, with 1.

import { writeFileSync } from "node:fs"
import type { Reporter, TestModule } from "vitest/node"

/** Milliseconds that workers have to end once the last test has. */
const patience = 30_000

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tally = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state } = test.result()
        tally[state === "pending" ? "skipped" : state] += 1
      }
      if (module.state() === "failed" && !tests.some((test) => test.result().state === "failed"))
        tally.failed += 1
    }
    const { ORRA_TALLY: file } = process.env
    if (file !== undefined) writeFileSync(file, JSON.stringify(tally))
    setTimeout(stillOpen, patience).unref()
  }
}

function stillOpen(): void {
  console.error("The tests are done, but something they started is still open: close it where it is started.")
  process.exit(1)
}
