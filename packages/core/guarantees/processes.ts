import { core, type Guarantee, type Mutation, type Proof } from "./guarantee.ts"

const sql = (name: string): string => `packages/stores/sql/src/${name}`

const proof = (test: string, mutation: Mutation): Proof => ({
  file: sql("many-processes.test.ts"),
  test,
  mutation,
})

const ADDS = "what one process runs, another adds to, takes back from, and stops"
const INTERRUPTS =
  "a message that interrupts comes before those that wait; one that is edited takes another's place"
const FOLLOWS =
  "whoever follows elsewhere sees each entry once, in order, and the text grow while it is written"
const TAKEN_OVER =
  "runs of a process that is killed go on in another: with the same key, or unknown, and those that wait wait"
const CLOSED =
  "what a dead process left is closed instead, where that is wanted, and what was sent meanwhile runs"
const CLOCK = "a process whose clock is "

/** Runtimes with `peers`, in processes of their own, on PostgreSQL and on a SQLite file. */
export const processes: readonly Guarantee[] = [
  {
    id: "M1",
    title: "What runs in another process is spoken to as if it were here",
    promise:
      "A message for a session that another process runs waits there, steers it, interrupts it or is rejected, as its sender said. A stop, a detachment and the taking back of a message reach it as well.",
    proofs: [
      proof(ADDS, {
        file: core("runtime.ts"),
        text: 'const mayWait = this.#peers ?? (whenBusy !== "interrupt" && log.openRun?.waiting)',
        replacement: 'const mayWait = whenBusy !== "interrupt" && log.openRun?.waiting',
      }),
      proof(ADDS, {
        file: core("peers.ts"),
        text: "if (openRun?.stop) active.stop.abort()",
        replacement: "",
      }),
      proof(INTERRUPTS, {
        file: core("driver.ts"),
        text: 'log.inputs.find(({ mode }) => mode === "interrupt") ?? log.inputs[0]',
        replacement: "log.inputs[0]",
      }),
      proof(
        "a message that steers joins the run in the other process, and one that is detached loses its caller",
        {
          file: core("peers.ts"),
          text: "if (openRun?.detach) active.detach()",
          replacement: "",
        },
      ),
    ],
  },
  {
    id: "M2",
    title: "What happens is seen in every process",
    promise:
      "Whoever follows a session gets each entry once and in order, and sees the text grow while another process writes it. A list of sessions changes with what the others do.",
    proofs: [
      proof(FOLLOWS, {
        file: core("onlookers.ts"),
        text: 'if (isFollowed) events.emit(namespace, { type: "more" })',
        replacement: "",
      }),
      proof(FOLLOWS, {
        file: core("onlookers.ts"),
        text: 'this.#broadcast.changes.emit(namespace, { type: "session", info })',
        replacement: "",
      }),
      {
        file: sql("sqlite-changes.test.ts"),
        test: "whoever listens is told once at first, then when another connection wrote, and not of its own writes",
        mutation: {
          file: sql("sqlite-changes.ts"),
          text: "wait = SOON_MS\n        yield undefined",
          replacement: "wait = SOON_MS\n        if (wait === 0) yield undefined",
        },
      },
    ],
  },
  {
    id: "M3",
    title: "What a dead process leaves goes on in another",
    promise:
      "When the lease of a killed process has run out, its runs go on in a process that takes over, or are closed, as that process was told: calls with a key are made again under it, others are unknown. Runs that wait go on waiting. A decision made elsewhere carries them on.",
    proofs: [
      proof(TAKEN_OVER, {
        file: core("peers.ts"),
        text: "await this.#takeOverAll(host)",
        replacement: "",
      }),
      proof(CLOSED, {
        file: core("peers.ts"),
        text: "if (this.#resume || !openRun || openRun.waiting) {",
        replacement: "if (log.info) {",
      }),
      proof(CLOSED, {
        file: core("peers.ts"),
        text: "await this.#lookAtLeft(host)",
        replacement: "",
      }),
      {
        file: sql("unrecorded-end.test.ts"),
        test: "a run whose end could not be recorded is not given up: it is found as a dead process's is, and goes on",
        mutation: {
          file: core("driver.ts"),
          text: "if (left) lease = undefined",
          replacement: "",
        },
      },
      {
        file: sql("abandoned.test.ts"),
        test: "which leases ran out without having been given back is known: %s",
        mutation: {
          file: sql("lease-table.ts"),
          text: '.where("expires_at", "<=", currentMs)\n      .orderBy',
          replacement: '.where("expires_at", ">", 0)\n      .orderBy',
        },
      },
    ],
  },
  {
    id: "M4",
    title: "Clocks may differ",
    promise:
      "A process whose clock is minutes off takes no session, no reservation and no approval from another, and gives none up: all that is too late at some time is so by the store's clock.",
    proofs: [
      proof(CLOCK, {
        file: core("runtime.ts"),
        text: "now: peers?.now ?? (() => Date.now()),",
        replacement: "now: () => Date.now(),",
      }),
      proof(CLOCK, {
        file: core("peers.ts"),
        text: "settings.budgets?.clock?.(this.now)",
        replacement: "",
      }),
      {
        file: sql("abandoned.test.ts"),
        test: "leases go by a clock of the store's own, whatever that of a process says: %s",
        mutation: {
          file: sql("sqlite-store.ts"),
          text: "busyMs: busyTimeoutMs, maxBytes, now })",
          replacement: "busyMs: busyTimeoutMs, maxBytes, now: () => Date.now() })",
        },
      },
    ],
  },
]
