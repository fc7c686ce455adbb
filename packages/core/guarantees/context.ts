import { core, type Guarantee } from "./guarantee.ts"

export const context: readonly Guarantee[] = [
  {
    id: "B3",
    title: "A request is counted before it is sent",
    promise:
      "System text, tools, pictures, files, thinking and calls count towards the window. The estimate of prose, code, JSON, logs and numbers is 0.9 to 1.3 times what two vocabularies count, and of other scripts 0.65 to 1.75 times. A tokenizer may count texts, or whole messages.",
    proofs: [
      {
        file: core("context.test.ts"),
        test: "is near what tokenizers count",
        mutation: {
          file: core("context.ts"),
          text: "/[a-z ]/i.test(char) ? 0",
          replacement: "char ? 0",
        },
      },
      {
        file: core("context.test.ts"),
        test: "is charged for thinking, shown or not, and for a call as the model wrote it",
        mutation: { file: core("context.ts"), text: "(part.data?.length ?? 0)", replacement: "0" },
      },
      {
        file: core("runtime.test.ts"),
        test: "the window has less room for messages by ",
        mutation: {
          file: core("request.ts"),
          text: "+ settings.countTools(tools)",
          replacement: "",
        },
      },
    ],
  },
  {
    id: "B6",
    title: "A compaction that costs more than it saves is not made",
    promise:
      "Before a session has to be cut, it is summed up only where the calls to come save more than the summary and the lost cache cost. What it took counts in the run.",
    proofs: [
      {
        file: core("compaction.test.ts"),
        test: "that costs more than it saves is not made before it has to be",
        mutation: {
          file: core("compaction.ts"),
          text: "if (!isNeeded && !isWorthwhile(",
          replacement: "if (false && !isWorthwhile(",
        },
      },
      {
        file: core("compaction.test.ts"),
        test: "counts what the summary took as its run's",
        mutation: { file: core("compaction.ts"), text: "    spent(usage)\n", replacement: "" },
      },
    ],
  },
  {
    id: "T3",
    title: "What a tool answers is bounded, and the rest of what is not shown can be read",
    promise:
      "Of a tool's answer a megabyte is kept at most, cut between code points, and the model told. Of what is kept it is shown what fits, with head and tail; it can read the rest in its own session and branch, and nothing else.",
    proofs: [
      {
        file: core("effect.test.ts"),
        test: "of 100 MB is cut to what is kept, shortened for the model, and the run goes on",
        mutation: {
          file: core("shorten.ts"),
          text: "if (tokens <= maxTokens || share < NO_SHARE) return shown",
          replacement: "if (tokens > 0) return shown",
        },
      },
      {
        file: core("result-limit.test.ts"),
        test: "property: is its beginning, within the limit, cut between code points, and it says so",
        mutation: { file: core("result-limit.ts"), text: "left -= written", replacement: "left -= 0" },
      },
      {
        file: core("shorten.test.ts"),
        test: "property: is cut between code points, from what was there, whatever the text",
        mutation: {
          file: core("shorten.ts"),
          text: "return isLow && followsHigh ? index - 1 : index",
          replacement: "return index",
        },
      },
      {
        file: core("tool-result-reader.test.ts"),
        test: "gives, page by page, all that was left out, as the note in the shortened text says",
        mutation: {
          file: core("tool-result-reader.ts"),
          text: "at += character.length",
          replacement: "at += 1",
        },
      },
      {
        file: core("tool-result-reader.test.ts"),
        test: "knows nothing of other sessions, of other entries, and of branches that were left",
        mutation: {
          file: core("tool-result-reader.ts"),
          text: " && path.some(({ from, to }) => from <= seq && seq <= to)",
          replacement: "",
        },
      },
    ],
  },
  {
    id: "T4",
    title: "Requests begin with the bytes of the one before",
    promise:
      "From one request of a session to the next nothing changes before the new messages, whichever process sends it, but at a compaction, or where the host changes system text, tools or model: so providers' caches hit. A cut moves once in many turns.",
    proofs: [
      {
        file: "packages/providers/openai/src/prefix.test.ts",
        test: "over 100 turns each request begins with the bytes of the one before, but where the log or the host says so",
        mutation: {
          file: core("request.ts"),
          text: "messages: log.transcript.of(items, log.first)",
          replacement: "messages: log.transcript.of(items.slice(-9), log.first)",
        },
      },
      {
        file: "packages/providers/openai/src/prefix.test.ts",
        test: "over 100 turns each request begins with the bytes of the one before, but where the log or the host says so",
        mutation: {
          file: core("session-log.ts"),
          text: "this.#applyCut(begin)",
          replacement: "this.#applyCut({ from })",
        },
      },
    ],
  },
  {
    id: "T5",
    title: "No cut loses what has to stay",
    promise:
      "Pins, open calls and the approvals that wait for them, the newest message, the last step and the system text survive every cut, and no call is separated from its result. A planned compaction is held against the log by a function, not by a model, before it is written; where it does not come about, no run fails.",
    proofs: [
      {
        file: core("cut.test.ts"),
        test: "property: loses whole turns and steps, the oldest first, and nothing that is pinned, open or asked",
        mutation: {
          file: core("cut.ts"),
          text: '(message.role === "assistant" && index > turn + 1)',
          replacement: "index > turn + 1",
        },
      },
      {
        file: core("cut.test.ts"),
        test: "is refused a cut that would lose a pin or an open call, each by its own name",
        mutation: { file: core("cut-check.ts"), text: "open.has(item)", replacement: "false" },
      },
      {
        file: core("pins.test.ts"),
        test: "stays in the model's sight through every cut, also for whoever opens the session anew",
        mutation: {
          file: core("cut.ts"),
          text: "seq >= from || seq === keep || pinned(seq)",
          replacement: "seq >= from || seq === keep",
        },
      },
      {
        file: core("compaction.test.ts"),
        test: "keeps the summary there was",
        mutation: {
          file: core("request.ts"),
          text: "...defined({ summary })",
          replacement: "",
        },
      },
    ],
  },
  {
    id: "T6",
    title: "A turn costs what is new in it",
    promise:
      "In a session of 100,000 entries a turn counts, reads and asks for what it does in one of 1,000, whether the session is open or opened anew.",
    proofs: [
      {
        file: "packages/stores/sql/src/session-cost.test.ts",
        test: "counts, reads and asks for exactly what one of 1,000 does, opened anew or open, and hardly more than one of 100",
        mutation: {
          file: core("session-log.ts"),
          text: 'if (tokens > this.#options.viewTokens && entry.type === "user") break',
          replacement: "",
        },
      },
    ],
  },
]
