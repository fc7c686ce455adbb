import { core, type Guarantee } from "./guarantee.ts"

export const budget: readonly Guarantee[] = [
  {
    id: "B1",
    title: "No call is made past a limit",
    promise:
      "What a call can cost at most is reserved before it is made, atomically, also between processes: what was spent and what is reserved is never more than the limit. It is settled with what the provider counted, and given back when the call came to nothing. What a dead process had reserved is free when it expires, and not before. What is reserved is an estimate of the input, times a margin, and all of the answer that may be written: `spent` passes a limit by as much as the estimate was further off than the margin.",
    proofs: [
      {
        file: core("budget.test.ts"),
        test: "50 runs at once on 1.00 USD at 0.10 each: ten calls are made, and no more",
        mutation: {
          file: core("budget-ledger.ts"),
          text: "return standing(spent + held + wanted,",
          replacement: "return standing(spent + wanted,",
        },
      },
      {
        file: "packages/stores/sql/src/budget.test.ts",
        test: "killed between reserving and settling: what they held is free when it expires, and not before",
        mutation: {
          file: core("budget-account.ts"),
          text: "if (until <= now && mayExpire)",
          replacement: "if (until <= now + 1e9 && mayExpire)",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "system text and what tools take are reserved as well",
        mutation: {
          file: core("budget-prompt.ts"),
          text: "+ this.#tools(tools)",
          replacement: "",
        },
      },
      {
        file: core("budget-ledger.test.ts"),
        test: "property: whoever reserves, settles, gives back, dies or waits: no more than the limit is given out, and parts make the whole",
        mutation: {
          file: core("budget-books.ts"),
          text: "? { namespace, key, expected: known.version, value:",
          replacement: "? { namespace, key, value:",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "a call that came to nothing gives back what was reserved; the call itself counts",
        mutation: {
          file: core("budget-account.ts"),
          text: "return { ...release(account, id), windows }",
          replacement: "return { ...account, windows }",
        },
      },
      {
        file: core("budget-limits.test.ts"),
        test: "when a call is settled: nothing more is done, and its reservation holds until it expires",
        mutation: {
          file: core("budget-call.ts"),
          text: "cost = await permit.settle(usage, text)",
          replacement: "cost = await permit.settle(usage, text).catch(() => undefined)",
        },
      },
    ],
  },
  {
    id: "B2",
    title: "Everybody above is charged the same",
    promise:
      "Every model call is charged to its namespace and all above it, and to its run and those on whose behalf it works, in whole nano-dollars: what the parts spent is what the whole spent. Calls of delegated runs, calls that sum up a session and calls that the provider makes again are no exception; what broke off or was stopped is charged by estimate.",
    proofs: [
      {
        file: core("budget.test.ts"),
        test: "everybody above is charged the same: the children's sums are the parent's, to the nano-dollar",
        mutation: {
          file: core("budget-scopes.ts"),
          text: "if (limits.total) scopes.push(limits.total)",
          replacement: "if (limits.total) scopes.splice(0, 1, limits.total)",
        },
      },
      {
        file: core("budget-limits.test.ts"),
        test: "hold for the runs it starts as well, all the way up, with how many and how deep",
        mutation: {
          file: core("budget.ts"),
          text: "...((await this.#ledger.chainOf(place)) ?? [])",
          replacement: "...[]",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "an answer that broke off or was stopped costs what was sent and what came of it, by estimate",
        mutation: {
          file: core("budget-call.ts"),
          text: "answer.draft.isEmpty ? undefined : textOf(answer.draft)",
          replacement: "answer.draft.isEmpty ? undefined : undefined",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "that the provider makes again by itself count, and stop the run when there are too many",
        mutation: { file: core("model-call.ts"), text: "      retried?.()\n", replacement: "" },
      },
    ],
  },
  {
    id: "B4",
    title: "What happens at a limit is declared",
    promise:
      "A call that does not fit ends the run, has the model shown less, goes to a cheaper model, waits for more holding nothing, or (a tool's) is refused: as the limit says, with an entry in the log and a transcript that goes on. Of several limits the strictest decides.",
    proofs: [
      {
        file: core("budget.test.ts"),
        test: "goes on with a cheaper model where there is room for that, which the log says, then stops",
        mutation: {
          file: core("budget.ts"),
          text: "model: used === model ? request.model : used,",
          replacement: "",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "a call that costs too much is made with less of the session, and the log says so",
        mutation: {
          file: core("loop.ts"),
          text: "if (instead) await record(run, [instead.entry])",
          replacement: "if (instead?.action === 'ask') await record(run, [instead.entry])",
        },
      },
      {
        file: core("budget-limits.test.ts"),
        test: "the run waits and holds nothing; once more is granted it goes on, in whatever process",
        mutation: {
          file: core("budget-ledger.ts"),
          text: "limit + (windows[per]?.granted?.[unit] ?? 0)",
          replacement: "limit + 0 * (windows[per]?.granted?.[unit] ?? 0)",
        },
      },
      {
        file: core("budget-limits.test.ts"),
        test: "or ends the run, in which nothing more of the step is carried out",
        mutation: {
          file: core("budget.ts"),
          text: 'if (breach.rule.atLimit !== "refuse") spender.end(exceeded(breach))',
          replacement: "",
        },
      },
    ],
  },
  {
    id: "B5",
    title: "A clock that jumps spends no window twice",
    promise:
      "Windows begin in UTC. A clock that goes back frees nothing. One that had jumped ahead has opened the next window early, once: when it is put right what was spent comes along, and nothing stays locked for longer than one window. No jump takes a call that is under way for dead, or keeps what a dead process held for longer than usual. A model without a price counts as the dearest known, and the log says so.",
    proofs: [
      {
        file: core("budget-ledger.test.ts"),
        test: "there and back spends no day twice",
        mutation: {
          file: core("budget-window.ts"),
          text: "return start === ahead ? { ...rest, start } : { start, spent: {} }",
          replacement: "return start === -1 && ahead ? { ...rest, start } : { start, spent: {} }",
        },
      },
      {
        file: core("budget-ledger.test.ts"),
        test: "ahead takes no call under way for dead, neither one's own nor another's that is alive",
        mutation: {
          file: core("budget-ledger.ts"),
          text: "mayExpire: steady >= this.#mayExpireFrom",
          replacement: "mayExpire: true",
        },
      },
      {
        file: core("budget-ledger.test.ts"),
        test: "back keeps nothing of the dead for longer than a reservation lasts",
        mutation: {
          file: core("budget-account.ts"),
          text: "until > now + 2 * ttlMs",
          replacement: "until > now + 1e15",
        },
      },
      {
        file: core("budget-window.test.ts"),
        test: "of another process that is behind around midnight gets nothing back",
        mutation: {
          file: core("budget-window.ts"),
          text: "if (last.start <= (endOf(per, start) ?? 0)) return last",
          replacement: "if (last.start <= 0) return last",
        },
      },
      {
        file: core("budget.test.ts"),
        test: "a model whose price is not known counts as the dearest, and that is said",
        mutation: {
          file: core("price.ts"),
          text: "all.map(rate))",
          replacement: "all.map(rate).slice(0, 1))",
        },
      },
    ],
  },
]
