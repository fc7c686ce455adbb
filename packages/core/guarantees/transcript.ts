import { core, type Guarantee } from "./guarantee.ts"

export const transcript: readonly Guarantee[] = [
  {
    id: "T1",
    title: "The transcript is always valid",
    promise:
      "Whatever happened in a session, the next request is one that the provider takes: every call is followed by its result, no result stands alone, no id names two calls, nothing is empty. Random sequences of failures, stops, crashes, edits and switches of provider are checked against the grammar of each service.",
    proofs: [
      {
        file: core("transcript.test.ts"),
        test: "property: is valid for every provider, whatever is in the session and however it was cut",
        mutation: {
          file: core("transcript.ts"),
          text: "answers.push(sendable(results.get(part.id) ?? unanswered(part), id))",
          replacement:
            "const result = results.get(part.id)\n    if (result) answers.push(sendable(result, id))",
        },
      },
      {
        file: "packages/providers/openai/src/fuzz.test.ts",
        test: "whatever happens to a session that moves between services, each takes what it is sent",
        mutation: {
          file: core("transcript.ts"),
          text: "answers.push(sendable(results.get(part.id) ?? unanswered(part), id))",
          replacement: "answers.push(sendable(results.get(part.id) ?? unanswered(part), part.id))",
        },
      },
      {
        file: "packages/providers/openai/src/fuzz.test.ts",
        test: "whatever happens to a session that moves between services, each takes what it is sent",
        mutation: {
          file: "packages/providers/openai/src/responses-messages.ts",
          text: "items.push(...thought, item)",
          replacement: "items.push(item, ...thought)",
        },
      },
    ],
  },
  {
    id: "T2",
    title: "Another provider may go on",
    promise:
      "Thinking goes back only to the provider that wrote it and can prove it; thinking that was cut off goes to nobody, and what a service no longer takes back is left out instead of failing the session for ever.",
    proofs: [
      {
        file: core("loop.test.ts"),
        test: "thinking without its signature is kept for people and not sent back",
        mutation: {
          file: core("transcript.ts"),
          text: 'return part.type !== "thinking" || part.signature !== undefined || part.data !== undefined',
          replacement: "return true",
        },
      },
      {
        file: "packages/providers/claude/src/claude.test.ts",
        test: "goes back when it is our own, signed, and this model's",
        mutation: {
          file: "packages/providers/claude/src/messages.ts",
          text: "if (provider !== PROVIDER_ID) return []",
          replacement: "",
        },
      },
      {
        file: "packages/providers/openai/src/responses.test.ts",
        test: "thinking goes back before what it led to, and only to who thought it",
        mutation: {
          file: "packages/providers/openai/src/responses-messages.ts",
          text: "own && part.provider === thinker.provider",
          replacement: "own",
        },
      },
      {
        file: "packages/providers/claude/src/claude.test.ts",
        test: "a session whose thinking is refused goes on without it",
        mutation: {
          file: "packages/providers/claude/src/request.ts",
          text: "if (isAboutThinking && params.messages.some(hasThinking))",
          replacement: "if (taken === undefined)",
        },
      },
      {
        file: "packages/providers/openai/src/responses.test.ts",
        test: "a session whose thinking does not open goes on without it",
        mutation: {
          file: "packages/providers/openai/src/responses-request.ts",
          text: "if (isAboutThinking && Array.isArray(input)",
          replacement: "if (!isAboutThinking && Array.isArray(input)",
        },
      },
      {
        file: "packages/providers/openai/src/fuzz.test.ts",
        test: "whatever happens to a session that moves between services, each takes what it is sent",
        mutation: {
          file: "packages/providers/openai/src/responses-messages.ts",
          text: "(model === undefined || model === thinker.model)",
          replacement: "model !== null",
        },
      },
    ],
  },
]
