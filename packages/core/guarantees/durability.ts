import { core, type Guarantee, testing } from "./guarantee.ts"

export const durability: readonly Guarantee[] = [
  {
    id: "D1",
    title: "A crash anywhere loses nothing that was promised",
    promise:
      "The process is killed at every asynchronous call of a run, before it took effect and after; the next one finishes the work. No accepted message and no shown text is lost, a call that cannot be repeated runs at most once, and where nobody can know whether it took effect the result says unknown. The next process may also go on with the run, approvals included.",
    proofs: [
      {
        file: testing("crash/matrix.test.ts"),
        test: "killed at every asynchronous call of a run, another process finishes the work",
        mutation: {
          file: core("recovery.ts"),
          text: 'const status = began && !idempotent(name) ? "unknown" : "cancelled"',
          replacement: 'const status = "cancelled" as "unknown" | "cancelled"',
        },
      },
      {
        file: testing("crash/matrix.test.ts"),
        test: "the process that recovers may die as well, wherever it is",
        mutation: {
          file: core("recovery.ts"),
          text: "for (const [callId, { name, intent }] of unanswered) {",
          replacement: "for (const [callId, { name, intent }] of [...unanswered].slice(0, 1)) {",
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "text that had been shown comes back as an interrupted answer, and Continue goes on from it",
        mutation: {
          file: core("recovery.ts"),
          text: "if (!draft || partial.isEmpty) return []",
          replacement: "if (!draft || !partial.isEmpty) return []",
        },
      },
      {
        file: testing("crash/matrix.test.ts"),
        test: "another process goes on with the run that was killed, wherever that was",
        mutation: {
          file: core("effect.ts"),
          text: 'if (before?.decision === "allow" && !effects.tools.get(asked.name)?.idempotent) {',
          replacement: 'if (before?.decision === "allow" && !effects.tools.get(asked.name)) {',
        },
      },
    ],
  },
  {
    id: "D2",
    title: "An effect is known by its place in the run",
    promise:
      "The idempotency key of a call is made of run, step, tool and ordinal, not of its arguments: every call has one of its own, and every attempt at the call has the same. Other arguments under an identity that was used are refused.",
    proofs: [
      {
        file: core("effect.test.ts"),
        test: "property: over random calls, policies, hooks and parallelism",
        mutation: {
          file: core("effect.ts"),
          text: "const idempotencyKey = `${runId}:${step}:${asked.name}:${ordinal}`",
          replacement: "const idempotencyKey = `${runId}:${step}`",
        },
      },
      {
        file: core("waiting.test.ts"),
        test: "goes on: repeatable calls under the same key, others unknown, then the model",
        mutation: {
          file: core("loop.ts"),
          text: "act(last, answers.length - 1)",
          replacement: "act(last, answers.length)",
        },
      },
      {
        file: core("effect-routes.test.ts"),
        test: "other arguments under a key that was used are refused, also where the tool is repeatable",
        mutation: {
          file: core("effect.ts"),
          text: "if (before && JSON.stringify(before.arguments)",
          replacement: "if (open?.request && before && JSON.stringify(before.arguments)",
        },
      },
    ],
  },
  {
    id: "D5",
    title: "What was written stays readable",
    promise:
      "Sessions written by each released version, in every form a session can have (branches, compactions, a crash in the middle, messages and approvals that wait), are kept as files and mean the same in every later version, in memory and in a database. What a later version wrote and this one does not know is kept and passed over; a database of a later format is refused as it is.",
    proofs: [
      {
        file: testing("golden/golden.test.ts"),
        test: "means what it meant: ",
        mutation: {
          file: core("session-log.ts"),
          text: 'if (entry.type === "input") this.#inputs.set(entry.inputId, entry)',
          replacement: 'if (entry.type === ("waiting" as unknown)) return',
        },
      },
      {
        file: "packages/stores/sql/src/golden.test.ts",
        test: "written by a released version, all is there: ",
        mutation: {
          file: core("session.ts"),
          text: "messages++",
          replacement: "messages += 2",
        },
      },
      {
        file: testing("golden/golden.test.ts"),
        test: "keeps what this one does not know, shows and sends the rest, and goes on",
        mutation: {
          file: core("history.ts"),
          text: "SHOWN, PAGE, all, tip",
          replacement: "undefined as never, PAGE, all, tip",
        },
      },
      {
        file: "packages/stores/sql/src/open.test.ts",
        test: "another program's database, and one of a newer version, are refused and left as they are",
        mutation: {
          file: "packages/stores/sql/src/database.ts",
          text: "if (format > steps.length) {",
          replacement: "if (format < 0) {",
        },
      },
    ],
  },
  {
    id: "D6",
    title: "A turn costs what is new in it",
    promise:
      "What is read of the store for a turn does not grow with the session, and nothing that was written is written again.",
    proofs: [
      {
        file: core("session-log.test.ts"),
        test: "costs a turn the same whatever came before: what is read of the store does not grow",
        mutation: {
          file: core("open-logs.ts"),
          text: "const log = known ?? this.#load(namespace)",
          replacement: "const log = this.#load(namespace)",
        },
      },
    ],
  },
  {
    id: "D7",
    title: "Stop, disconnect and detach are three things",
    promise:
      "Who leaves a stream leaves the run going, and reading on after the last cursor misses nothing and repeats nothing. Stop ends the request to the provider and the tools, and keeps what was written, marked. Detach frees a run from its caller. What a run waits for is withdrawn by a stop, an interruption, an edit or a change of branch.",
    proofs: [
      {
        file: core("broadcast.test.ts"),
        test: "that come and go at random see every entry once and in order, however slow they are",
        mutation: {
          file: core("broadcast.ts"),
          text: "const page = await store.read(namespace, { after: seen, limit: PAGE })",
          replacement: "const page = await store.read(namespace, { after: seen + 1, limit: PAGE })",
        },
      },
      {
        file: core("broadcast.test.ts"),
        test: "that read an entry in the log before they were told of it are not given it again",
        mutation: {
          file: core("broadcast.ts"),
          text: "if (event.seq <= seen) continue",
          replacement: "",
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "stop ends the request to the provider and keeps the text, marked",
        mutation: {
          file: core("loop.ts"),
          text: 'entry.status = failure ? "error" : "stopped"',
          replacement: 'entry.status = failure ? "error" : "complete"',
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "stop ends a tool that ignores its signal",
        mutation: {
          file: core("execution.ts"),
          text: 'effects.signal.addEventListener("abort", abandon, { once: true })',
          replacement: "",
        },
      },
      {
        file: core("waiting.test.ts"),
        test: "detach ends waiting for it, and its caller's signal stops it no more",
        mutation: {
          file: core("run-end.ts"),
          text: 'detach: (): void => letGo(detached(active.runId ?? ""))',
          replacement: 'detach: (): void => resolve(detached(active.runId ?? ""))',
        },
      },
      {
        file: core("waiting.test.ts"),
        test: "withdraws the approval when it ",
        mutation: {
          file: core("driver.ts"),
          text: 'open.waiting && whenWaiting === "stay"',
          replacement: "open.waiting",
        },
      },
    ],
  },
  {
    id: "C1",
    title: "What a message does to a busy session is declared",
    promise:
      "A message that arrives during a run waits, steers, interrupts or is rejected, as its sender said, also across processes. None is lost and none is answered twice.",
    proofs: [
      {
        file: core("runtime.test.ts"),
        test: "waits its turn, in order",
        mutation: {
          file: core("runtime.ts"),
          text: "waitingInput(inputId, message, whenBusy, options)",
          replacement: 'waitingInput(inputId, message, "steer", options)',
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "steers: it is seen by the next model call of the run",
        mutation: {
          file: core("loop.ts"),
          text: "const steered = steering(run).length > 0 && (await takeInputs(run))",
          replacement: "const steered = false",
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "interrupts: the run stops and it takes over",
        mutation: {
          file: core("runtime.ts"),
          text: 'while (whenBusy === "interrupt" && this.#driver.get(namespace)) await this.#driver.pause(namespace)',
          replacement: "",
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "is rejected when asked so, and nothing is written",
        mutation: {
          file: core("runtime.ts"),
          text: 'if (whenBusy === "reject") throw new SessionBusy()',
          replacement: "",
        },
      },
      {
        file: core("driver.test.ts"),
        test: "a message queued while the other one lets go of the session is not lost",
        mutation: {
          file: core("driver.ts"),
          text: "if (done) await this.#lookAgain(log)",
          replacement: "if (done && !log) await this.#lookAgain(log)",
        },
      },
    ],
  },
]
