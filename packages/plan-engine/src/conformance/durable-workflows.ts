import type { Json } from "@orra/core"
import type { DurableRun, Workflow } from "../execution/durable/durable.ts"

/** What a workflow of the suite says: what it does in a step, and what it has come past. */
export type Said =
  | { readonly type: "does" | "past"; readonly run: string; readonly what: string }
  | { readonly type: "result"; readonly run: string; readonly value: Json }

/** What the workflows of the suite do: each says what happens to it, which is where a process can be killed. */
export function durableWorkflows(say: (said: Said) => Promise<void>): Readonly<Record<string, Workflow>> {
  const does = (run: DurableRun, what: string) => say({ type: "does", run: run.namespace.key, what })
  const past = (run: DurableRun, what: string) => say({ type: "past", run: run.namespace.key, what })
  const step = async <T extends Json>(run: DurableRun, name: string, value: T): Promise<T> => {
    const given = await run.step(name, async () => {
      await does(run, name)
      return value
    })
    await past(run, name)
    return given
  }
  const ends = async (run: DurableRun, value: Json): Promise<Json> => {
    await run.step("result", () => say({ type: "result", run: run.namespace.key, value }).then(() => null))
    return value
  }

  return {
    /** All there is, one after the other. */
    all: async (run) => {
      const first = await step(run, "first", 1)
      const child = await run.child("child", "c", 20)
      await past(run, "child")
      await run.sleep("nap", 20)
      await past(run, "nap")
      const nothing = await run.wait("silence", 20)
      await past(run, "silence")
      const heard = await run.wait("news")
      await past(run, "news")
      const last = await step(run, "last", { of: "all" })
      return await ends(run, [first, child, nothing ?? null, heard ?? null, last])
    },
    child: async (run, input) => {
      await step(run, "left", 0)
      return await step(run, "right", Number(input) + 1)
    },
    /** Steps at the same time. */
    together: async (run) => {
      const names = ["one", "two", "three", "four"]
      return await ends(run, await Promise.all(names.map((name) => step(run, name, name))))
    },
    /** Fails twice, and a third time for good where it may not be tried oftener. */
    tries: async (run, attempts) => {
      let count = 0
      const work = async (): Promise<Json> => {
        count++
        await does(run, `attempt ${count}`)
        if (count < 3) throw new Error("Not yet.")
        return count
      }
      try {
        return await ends(run, await run.step("work", work, { attempts: Number(attempts), delayMs: 1 }))
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        return await ends(run, { code: code ?? "", message })
      }
    },
    /** So many pieces of news. */
    news: async (run, count) => {
      const heard: Json[] = []
      while (heard.length < Number(count)) {
        heard.push((await run.wait("news")) ?? null)
        await past(run, `${heard.length}`)
      }
      return await ends(run, heard)
    },
    /** Ends when it is cancelled. */
    patient: async (run) => {
      const { cancelled } = run
      const isOver = Promise.withResolvers<void>()
      run.signal.addEventListener("abort", () => isOver.reject(run.signal.reason))
      cancelled.addEventListener("abort", () => isOver.resolve())
      if (cancelled.aborted) isOver.resolve()
      await past(run, "start")
      await isOver.promise
      return await ends(run, "cancelled")
    },
    /** Of one run below it. */
    parent: async (run) => await ends(run, await run.child("patient", "c", null)),
  }
}
