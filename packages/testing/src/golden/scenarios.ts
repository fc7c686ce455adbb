import {
  compact,
  type EntryType,
  MemoryStore,
  Namespace,
  type NewEntry,
  pin,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  summarize,
} from "@orra/core"
import {
  call,
  end,
  fail,
  hang,
  type ScriptedAnswer,
  say,
  scriptedProvider,
  think,
} from "../scripted-provider.ts"
import { watchedStore } from "../watched-store.ts"
import {
  type Golden,
  type GoldenAppend,
  goldenPolicies,
  goldenRuntime,
  goldenTools,
  meaningOf,
  replay,
} from "./golden.ts"

interface Scene {
  readonly runtime: Runtime
  readonly store: SessionStore
  readonly ns: Namespace
}

interface Scenario {
  readonly script: readonly ScriptedAnswer[]
  readonly options?: Partial<RuntimeOptions>
  /** The process dies when an entry of this type is written. */
  readonly diesAfter?: EntryType
  readonly play: (scene: Scene) => Promise<unknown>
}

const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** Until the model has said its first words, which are then in the log. */
async function begun({ runtime, ns }: Scene, text: string): Promise<void> {
  for await (const event of runtime.stream(ns, text))
    if (event.type === "delta" && event.pieces.some(({ type }) => type === "text")) break
}

const seqOf = async ({ store, ns }: Scene, type: "user" | "assistant"): Promise<number> =>
  (await store.read(ns, { types: [type], limit: 1 }))[0]?.seq ?? 0

/** Sessions in which, together, each kind of entry is written. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  conversation: {
    script: [
      [
        think("What is there?", "signature-1"),
        say("Let me ", "see."),
        call("look", { what: "prices" }, "call_1"),
        call("charge", { what: "card" }, "call_2"),
        call("look", { what: "trouble" }, "call_3"),
        call("nothing", {}, "call_4"),
        call("look", "{ not JSON", "call_5"),
      ],
      [call("browse", { what: "page" }, "call_6")],
      [say("Here ", "it is \u{1f600}."), end({ usage: { cacheReadTokens: 3, cacheWriteTokens: 2 } })],
      fail("overloaded"),
      "Better now.",
    ],
    play: async ({ runtime, ns }) => {
      const parts = [
        { type: "text", text: "What is this?" },
        { type: "image", mediaType: "image/png", data: PICTURE },
        { type: "file", mediaType: "text/plain", name: "a.txt", data: "aGVsbG8=" },
      ] as const
      const origin = { kind: "person", name: "Ada" } as const
      await runtime.run(ns, { role: "user", parts, origin }, { inputId: "first", principal: "ada" })
      await runtime.update(ns, { title: "Trip to \u00c5land", workingDirectory: "/srv", passing: true })
      await runtime.update(ns, { passing: null })
      await runtime.run(ns, "Again?").catch(() => {})
      await runtime.run(ns, "And again?", { model: "scripted-2", maxTurns: 3 })
    },
  },
  branches: {
    script: ["one", "two", "another two", "edited", "on the old branch"],
    play: async (scene) => {
      const { runtime, ns, store } = scene
      const follow = async (submission: ReturnType<Runtime["edit"]>) => {
        for await (const _ of runtime.follow(await submission));
      }
      await runtime.run(ns, "1")
      await runtime.run(ns, "2")
      const tip = (await store.info(ns))?.version ?? 0
      const [, second] = await store.read(ns, { types: ["user"] })
      await follow(runtime.regenerate(ns, second?.seq ?? 0))
      await follow(runtime.edit(ns, second?.seq ?? 0, "2, edited"))
      await runtime.switchBranch(ns, tip)
      await runtime.run(ns, "3")
    },
  },
  compaction: {
    script: ["one", "two", "three", "four"],
    options: {
      compaction: summarize({ provider: scriptedProvider([], { otherwise: "They counted." }) }),
      context: { maxTokens: 4_000, reservedForOutput: 100 },
    },
    play: async (scene) => {
      const { runtime, ns } = scene
      for (const text of ["one", "two", "three"]) await runtime.run(ns, `${text} ${"word ".repeat(200)}`)
      await pin(runtime, ns, await seqOf(scene, "user"))
      await compact(runtime, ns)
      await runtime.run(ns, "four")
    },
  },
  interrupted: {
    script: [[call("look", { what: "first" }, "call_1")], [think("Hm."), say("So far, so "), hang()]],
    play: async (scene) => {
      await begun(scene, "Go.")
    },
  },
  calling: {
    script: [
      [call("look", { what: "first" }, "call_1"), call("browse", { what: "page" }, "call_2")],
      "Seen.",
    ],
    diesAfter: "tool_intent",
    play: ({ runtime, ns }) => runtime.run(ns, "Go."),
  },
  stopped: {
    script: [[say("I was about to "), hang()]],
    play: async (scene) => {
      await begun(scene, "Go.")
      await scene.runtime.stop(scene.ns)
    },
  },
  queue: {
    script: [[say("Busy "), hang()]],
    play: async (scene) => {
      const { runtime, ns } = scene
      await begun(scene, "1")
      await runtime.submit(ns, "2", { inputId: "second" })
      await runtime.submit(ns, "3", { inputId: "third", whenBusy: "steer" })
      await runtime.submit(ns, "4", { inputId: "fourth", model: "scripted-2", maxTurns: 2 })
      await runtime.cancelInput(ns, "second")
    },
  },
  approval: {
    script: [[say("I have to pay."), call("pay", { what: "ann" }, "call_1"), call("look", {}, "call_2")]],
    play: ({ runtime, ns }) => runtime.run(ns, "Pay Ann.", { principal: "ada" }),
  },
}

/** The present version's sessions. */
export async function writeGolden(): Promise<Readonly<Record<string, Golden>>> {
  const written: Record<string, Golden> = {}
  for (const [name, { script, options, diesAfter, play }] of Object.entries(scenarios)) {
    const ns = Namespace.of("golden", name)
    const appends: GoldenAppend[] = []
    const store = watchedStore(new MemoryStore(), {
      after: (method, args) => {
        if (method !== "append") return
        const [namespace, entries, { dropDeltas }] = args as Parameters<SessionStore["append"]>
        if (namespace.equals(ns)) appends.push(asJson({ entries, ...(dropDeltas && { dropDeltas }) }))
      },
    })
    const provider = scriptedProvider(script)
    const runtime = options
      ? new Runtime({
          provider,
          store,
          tools: goldenTools(),
          policies: goldenPolicies(),
          deltaIntervalMs: 0,
          ...options,
        })
      : goldenRuntime(store, provider).runtime
    await play({ runtime, store, ns })
    // As it is now: what closing the runtime writes is what a death would not have written.
    const death = appends.findIndex(({ entries }) => entries.some(({ type }) => type === diesAfter))
    const golden = { namespace: ns.key, appends: appends.slice(0, death < 0 ? undefined : death + 1) }
    await runtime.close()
    const copy = new MemoryStore()
    await replay(copy, { ...golden, meaning: undefined })
    written[name] = { ...golden, meaning: await meaningOf(copy, ns.key) }
  }
  return written
}

const asJson = (append: {
  entries: readonly NewEntry[]
  dropDeltas?: GoldenAppend["dropDeltas"]
}): GoldenAppend => JSON.parse(JSON.stringify(append)) as GoldenAppend
