import { core, type Guarantee } from "./guarantee.ts"

const DECIDED = 'if (verdict.decision === "deny" || (verdict'

export const policy: readonly Guarantee[] = [
  {
    id: "P1",
    title: "Another layer only narrows",
    promise:
      "The decision for a call is the strictest of all layers that speak (deny < ask < allow). Adding a layer never turns a denial into anything else, nor a question into a permission; the order of layers and their repetition do not matter.",
    proofs: [
      {
        file: core("policy.test.ts"),
        test: "property: adding one never widens what the others say",
        mutation: {
          file: core("policy.ts"),
          text: "one && RANK[one.decision] <= RANK[other.decision] ? one : other",
          replacement: "one && RANK[one.decision] >= RANK[other.decision] ? one : other",
        },
      },
      {
        file: core("policy-scope.test.ts"),
        test: "property: adding one never widens what was said, order and repetition do not matter",
        mutation: {
          file: core("policy.ts"),
          text: "for (const key of namespace.lineageKeys) {",
          replacement:
            "for (const key of [...this.#layers.keys()].filter((each) => namespace.lineageKeys.includes(each))) {",
        },
      },
      {
        file: core("policy-scope.test.ts"),
        test: "what a layer allows for a time ends early, what it denies does not end",
        mutation: {
          file: core("policy.ts"),
          text: 'decision !== "allow" || layer.grants === undefined',
          replacement: "layer.grants === undefined",
        },
      },
    ],
  },
  {
    id: "P2",
    title: "Work for somebody else has at most their rights",
    promise:
      "`policies.within(bounds)` never says more than the registry it comes from, than that registry at each bound, or than a bound that is a layer: now and after later changes. A ceiling caps and allows nothing itself.",
    proofs: [
      {
        file: core("policy-scope.test.ts"),
        test: "property: never more than the parent here, than the parent at a bound, or than a bound says",
        mutation: {
          file: core("policy.ts"),
          text: "for (const place of [namespace, ...namespaces])",
          replacement: "for (const place of [namespace])",
        },
      },
      {
        file: core("policy-scope.test.ts"),
        test: "caps what others allow, and allows nothing by itself",
        mutation: {
          file: core("policy.ts"),
          text: "return own.cap ? stricter(verdict, own.cap) : verdict",
          replacement: "return own.cap ?? verdict",
        },
      },
    ],
  },
  {
    id: "P3",
    title: "One door for effects",
    promise:
      "Every execution of a tool goes through one function. Each call is decided once and the decision recorded before anything runs; a call that is not allowed runs nothing and leaves the same record whatever asked for it. By every other way to a tool (a resumed approval, a recovered run, a hook, a delegated task, a spawned helper, a direct call, a client of MCP, a scheduled job) a denied call finds the same refusal and the same record.",
    proofs: [
      {
        file: core("effect.test.ts"),
        test: "property: over random calls, policies, hooks and parallelism",
        mutation: {
          file: core("effect.ts"),
          text: '!waits && verdict.decision !== "allow"',
          replacement: '!waits && verdict.decision === "deny"',
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "a call that policy denies is answered as denied, recorded, and never carried out",
        mutation: {
          file: core("effect.ts"),
          text: "const verdict = asking instanceof Promise",
          replacement:
            'const verdict: Verdict | undefined = { decision: "allow", layer: "", rule: "" }; asking instanceof Promise',
        },
      },
      {
        file: core("effect-routes.test.ts"),
        test: "what is denied is denied by way of ",
        mutation: {
          file: core("effect.ts"),
          text: 'if (verdict.decision === "deny" ||',
          replacement: 'if ((verdict.decision === "deny" && !open?.request) ||',
        },
      },
      {
        file: "packages/mcp/src/server.test.ts",
        test: "a tool goes through the one door: policy decides, the log has it, progress arrives",
        mutation: {
          file: core("effect.ts"),
          text: DECIDED,
          replacement: `if (!effects.mayWait) return { ...decided, verdict: { ...verdict, decision: "allow" } }\n  ${DECIDED}`,
        },
      },
      {
        file: "packages/tools/cron/src/rights.test.ts",
        test: "refuse what is denied in the words, and with the record, of every other way to the tool",
        mutation: {
          file: core("effect.ts"),
          text: DECIDED,
          replacement: `if (effects.context.envelope) return { ...decided, verdict: { ...verdict, decision: "allow" } }\n  ${DECIDED}`,
        },
      },
      {
        file: core("effect-routes.test.ts"),
        test: "property: as many executions as decisions to allow, each under its own key, and one result a call",
        mutation: {
          file: core("effect.ts"),
          text: "open && !known ? undefined : await decide",
          replacement: "await decide",
        },
      },
    ],
  },
  {
    id: "P4",
    title: "Doubt is a no",
    promise:
      "Where no layer speaks the answer is deny, unless the registry says otherwise; a tool that does not exist is denied; so is a call whose check throws, hangs or gives no boolean. A clock that goes back, or says nothing, allows nothing.",
    proofs: [
      {
        file: core("policy.test.ts"),
        test: "is deny where nobody speaks, unless said otherwise",
        mutation: {
          file: core("policy.ts"),
          text: 'checkedDecision(options.default ?? "deny")',
          replacement: 'checkedDecision(options.default ?? "allow")',
        },
      },
      {
        file: core("policy-rule.test.ts"),
        test: "that throws, rejects, hangs or gives no boolean denies, whatever the rule is for",
        mutation: {
          file: core("policy.ts"),
          text: 'if (answer === "failed")',
          replacement: 'if (answer === "failed") continue\n        if (answer === "never" as unknown)',
        },
      },
      {
        file: core("policy-scope.test.ts"),
        test: "a clock set back revives nothing, and one that says nothing allows nothing",
        mutation: {
          file: core("policy.ts"),
          text: "if (now > this.#latest) this.#latest = now",
          replacement: "this.#latest = now",
        },
      },
      {
        file: core("runtime.test.ts"),
        test: "unknown tools, arguments that do not fit or are not JSON, and tools that throw are told to the model",
        mutation: {
          file: core("effect.ts"),
          text: 'if (asked.invalid !== undefined) return refuse("runtime", "the arguments are not a JSON object")',
          replacement: "",
        },
      },
    ],
  },
  {
    id: "P5",
    title: "Decisions can be explained and rehearsed",
    promise:
      "`explain` names the layer and the rule that decided. `simulate` replays the calls of a recorded session, at their times and with their taint, runs nothing, and lists those that would now be decided otherwise.",
    proofs: [
      {
        file: core("policy.test.ts"),
        test: "says which layer and rule decided",
        mutation: {
          file: core("policy.ts"),
          text: "if (layer) add(own, layer, key)",
          replacement: "if (layer) add(own, layer, namespace.key)",
        },
      },
      {
        file: core("policy-taint.test.ts"),
        test: "lists the recorded calls that would be decided otherwise, from a store or from entries, and runs nothing",
        mutation: {
          file: core("policy-simulate.ts"),
          text: "at: entry.at,",
          replacement: "",
        },
      },
    ],
  },
]
