import { core, type Guarantee } from "./guarantee.ts"

export const approval: readonly Guarantee[] = [
  {
    id: "P7",
    title: "Policy is asked again when an approval is used",
    promise:
      "What policy denies by then is refused, approved or not; a person's no holds where policy allows by then; no remembered rule and no approval of everything covers a denial.",
    proofs: [
      {
        file: core("approval.test.ts"),
        test: "a person's no holds where policy allows by then",
        mutation: {
          file: core("effect.ts"),
          text: '(verdict.decision === "allow" && !open?.request)',
          replacement: 'verdict.decision === "allow"',
        },
      },
      {
        file: core("approval-rules.test.ts"),
        test: "for these arguments covers exactly these, whatever the order of their members",
        mutation: {
          file: core("approval.ts"),
          text: "`arguments:${tool}:${digest}`",
          replacement: "`arguments:${tool}:${digest.slice(0, 0)}`",
        },
      },
      {
        file: core("approval-rules.test.ts"),
        test: "ends by itself",
        mutation: {
          file: core("approval.ts"),
          text: "rule.until <= now ?",
          replacement: "rule.until <= 0 ?",
        },
      },
    ],
  },
  {
    id: "D3",
    title: "One decision counts",
    promise:
      "Of several decisions about a call, in several processes, the first one counts and one execution follows; a wake-up is never missed.",
    proofs: [
      {
        file: core("approval.test.ts"),
        test: "of two at the same moment, in two processes, one counts and one execution follows",
        mutation: {
          file: core("approval.ts"),
          text: "open?.request?.approvalId !== approvalId || open.answer",
          replacement: "open?.request?.approvalId !== approvalId",
        },
      },
      {
        file: core("waiting.test.ts"),
        test: "that comes before the run has begun to wait is not missed",
        mutation: {
          file: core("driver.ts"),
          text: "woken ||",
          replacement: "(woken && waiting === undefined) ||",
        },
      },
    ],
  },
  {
    id: "D4",
    title: "Approvals are records",
    promise:
      "An approval is bound to its session, its run, the exact arguments, the rule of policy that asked and a time, and is decided by whom the application allows. Forged, foreign, late and repeated decisions are refused. While a run waits nothing of it is held, and it goes on after a restart.",
    proofs: [
      {
        file: core("approval.test.ts"),
        test: "by somebody who may not is refused, and changes nothing",
        mutation: {
          file: core("approval.ts"),
          text: "if ((await this.#mayDecide(act)) !== true)",
          replacement: "if ((await this.#mayDecide(act)) === undefined)",
        },
      },
      {
        file: core("approval.test.ts"),
        test: "a rule that was not shown is not what was approved",
        mutation: {
          file: core("approval-gate.ts"),
          text: "request.reason !== reason",
          replacement: 'request.reason === ""',
        },
      },
      {
        file: core("approval.test.ts"),
        test: "that comes too late is refused; the call is denied and the run goes on",
        mutation: {
          file: core("approval.ts"),
          text: "if (this.#now >= expiresAt) {",
          replacement: "if (expiresAt === 0) {",
        },
      },
      {
        file: core("approval.test.ts"),
        test: "nobody made in time is denied when somebody looks",
        mutation: {
          file: core("driver.ts"),
          text: "settings.now() >= (waiting?.expiresAt",
          replacement: "0 >= (waiting?.expiresAt",
        },
      },
      {
        file: core("approval.test.ts"),
        test: "waits, holds nothing, and is carried out once approved, in the same run and under its key",
        mutation: {
          file: core("driver.ts"),
          text: "if (lease) await store.release(lease)",
          replacement: "if (lease && !log.openRun) await store.release(lease)",
        },
      },
      {
        file: core("approval.test.ts"),
        test: "arguments that were changed in the store, wherever they are written, are refused",
        mutation: {
          file: core("approval-gate.ts"),
          text: "if (request.digest !== digest)",
          replacement: "if (request.digest === undefined)",
        },
      },
      {
        file: core("canonical-json.test.ts"),
        test: "section 3.2.3: members are sorted by the UTF-16 code units of their names",
        mutation: {
          file: core("canonical-json.ts"),
          text: ".sort()",
          replacement: ".sort((a, b) => a.localeCompare(b))",
        },
      },
    ],
  },
]
