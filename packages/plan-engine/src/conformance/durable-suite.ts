import { type Json, Namespace, randomId } from "@orra/core"
import { type Child, startChild } from "@orra/testing/process"
import { afterEach, describe, expect, test } from "vitest"
import type { Command, Reply } from "./durable-peer.ts"
import type { Said } from "./durable-workflows.ts"

export { type EngineSubject, engineConformance } from "./engine-suite.ts"

export interface DurableSubject {
  /** A module that calls `durablePeer`. */
  readonly peer: URL
  /** Its arguments, such as where the store is. The root and `killAt` follow. */
  readonly args: () => readonly string[]
  /** Of the things a run says, those at which it is killed; default all. */
  readonly kills?: readonly number[]
}

/**
 * Registers the vitest tests that every `Durable` must pass, over real processes that are killed: what was done in a step
 * is not done again, nothing is lost, and what a dead process leaves another one goes on with.
 */
export function durableConformance(name: string, { peer, args, kills }: DurableSubject): void {
  const peers: Peer[] = []
  afterEach(async () => {
    for (const each of peers.splice(0)) await each.kill()
  })
  const start = async (root: Namespace, killAt = 0): Promise<Peer> => {
    const started = new Peer(peer, [...args(), root.key, String(killAt)])
    peers.push(started)
    await started.answer()
    return started
  }
  /** A place of its own for each test, and the keys of the runs in it. */
  const place = () => {
    const root = Namespace.of("suite", randomId())
    return { root, key: (...run: readonly string[]): string => root.child(...run).key }
  }

  describe(name, () => {
    test("steps, children, sleeps and signals come to their result, steps at the same time as well", async () => {
      const { root, key } = place()
      const one = await start(root)
      await one.tell({ op: "start", workflow: "all", run: key("a"), input: null })
      await one.tell({ op: "signal", run: key("a"), topic: "news", value: "hello" })
      expect(await one.result(key("a"))).toEqual([1, 21, null, "hello", { of: "all" }])
      await one.tell({ op: "start", workflow: "together", run: key("t"), input: null })
      expect(await one.result(key("t"))).toEqual(["one", "two", "three", "four"])

      await one.tell({ op: "start", workflow: "tries", run: key("often"), input: 5 })
      expect(await one.result(key("often")), "a step that fails is tried again").toBe(3)
      await one.tell({ op: "start", workflow: "tries", run: key("seldom"), input: 2 })
      expect(await one.result(key("seldom"))).toEqual({ code: "plan_step_failed", message: "Not yet." })

      const run = key("n")
      await one.tell({ op: "start", workflow: "news", run, input: 3 })
      await one.tell({ op: "start", workflow: "tries", run, input: 5 })
      for (const value of [1, 2, 3]) await one.tell({ op: "signal", run, topic: "news", value })
      expect(await one.result(run), "in order, and an id is begun once").toEqual([1, 2, 3])
      await one.tell({ op: "signal", run: key("nobody"), topic: "news", value: 1 })
    })

    test("what is cancelled is told so, also below and in the next process; what has not ended is listed", async () => {
      const { root, key } = place()
      const one = await start(root)
      for (const run of ["p", "q"])
        await one.tell({ op: "start", workflow: "parent", run: key(run), input: null })
      await one.until(
        () => one.said("past", key("p", "c")).length + one.said("past", key("q", "c")).length === 2,
      )
      const listed = await one.tell({ op: "list", prefix: root.key, limit: 3 })
      const each = (run: string, workflow: string) => ({ run, workflow, isCancelled: false })
      expect(listed).toHaveLength(4)
      expect(listed).toEqual(
        expect.arrayContaining([each(key("p"), "parent"), each(key("p", "c"), "patient")]),
      )
      expect(await one.tell({ op: "list", prefix: key("q"), limit: 50 })).toHaveLength(2)
      await one.tell({ op: "cancel", run: key("p") })
      expect(await one.result(key("p"))).toBe("cancelled")
      expect(one.said("result", key("q"))).toEqual([])
      await one.tell({ op: "close" })
      expect((await one.child.ended).code).toBe(0)

      const two = await start(root)
      await two.until(() => two.said("past", key("q", "c")).length > 0)
      await two.tell({ op: "cancel", run: key("q") })
      expect(await two.result(key("q"))).toBe("cancelled")
    })

    test("killed at any step, the next process goes on, and nothing that was done is done again", async () => {
      for (let round = 0; round < (kills?.length ?? Number.POSITIVE_INFINITY); round++) {
        const killAt = kills?.[round] ?? round + 1
        const { root, key } = place()
        const one = await start(root, killAt)
        const run = key("a")
        one.send({ op: "start", workflow: "all", run, input: null })
        one.send({ op: "signal", run, topic: "news", value: "hello" })
        await Promise.race([one.child.ended, one.until(() => one.said("result", run).length > 0)])
        if (one.heard.filter((reply) => "run" in reply).length < killAt) {
          expect(killAt, "it was killed at all there is").toBeGreaterThan(12)
          return
        }
        expect((await one.child.ended).signal).toBe("SIGKILL")
        const two = await start(root)
        // Where it was killed before it could be told.
        const [isThere] = (await two.tell({ op: "list", prefix: run, limit: 1 })) as readonly Json[]
        if (isThere) await two.tell({ op: "signal", run, topic: "news", value: "hello" })
        const where = `killed at ${killAt}, ${JSON.stringify(one.heard.at(-1))}`
        if (one.said("result", run).length === 0)
          expect(await two.result(run), where).toEqual([1, 21, null, "hello", { of: "all" }])
        for (const said of one.heard)
          if (said.type === "past")
            expect(
              two.said("does", said.run).map(({ what }) => what),
              where,
            ).not.toContain(said.what)
        await two.kill()
      }
    })

    test("of two processes that share the work one is killed, and the other goes on with all of it", async () => {
      const { root, key } = place()
      const [one, two] = await Promise.all([start(root), start(root)])
      const runs = ["a", "b", "c", "d"].map((run) => key(run))
      for (const [index, run] of runs.entries())
        await (index % 2 === 0 ? one : two).tell({ op: "start", workflow: "news", run, input: 2 })
      for (const run of runs) await two.tell({ op: "signal", run, topic: "news", value: "first" })
      // On a machine that is busy one may have been taken for dead before it is.
      const isAtWork = (run: string) => [one, two].some((each) => each.said("past", run).length > 0)
      await Promise.race([one, two].map((each) => each.until(() => runs.every(isAtWork))))
      await one.kill()
      for (const run of runs) await two.tell({ op: "signal", run, topic: "news", value: "second" })
      for (const run of runs) expect(await two.result(run), run).toEqual(["first", "second"])
    })
  })
}

/** A process of its own that carries out what it is told. */
class Peer {
  readonly heard: Reply[] = []
  readonly child: Child
  #news = Promise.withResolvers<void>()
  #answers = 0

  constructor(module: URL, args: readonly string[]) {
    this.child = startChild<Reply>(module, args, (reply) => {
      this.heard.push(reply)
      this.#tell()
    })
    void this.child.ended.then(() => this.#tell())
  }

  send(command: Command): void {
    this.child.tell(command)
  }

  async tell(command: Command): Promise<Json> {
    this.send(command)
    return await this.answer()
  }

  /** The next answer. @throws Error with what it complained of when it has ended. */
  async answer(): Promise<Json> {
    const place = this.#answers++
    const answers = () => this.heard.filter((reply) => reply.type === "answer")
    await this.until(() => answers().length > place)
    return answers()[place]?.value ?? null
  }

  async result(run: string): Promise<Json> {
    await this.until(() => this.said("result", run).length > 0)
    return this.said("result", run)[0]?.value ?? null
  }

  said<T extends Said["type"]>(type: T, run: string): readonly Extract<Said, { type: T }>[] {
    return this.heard.filter(
      (reply): reply is Extract<Said, { type: T }> =>
        reply.type === type && "run" in reply && reply.run === run,
    )
  }

  async until(isThere: () => boolean): Promise<void> {
    let hasEnded = false
    void this.child.ended.then(() => {
      hasEnded = true
    })
    while (!isThere()) {
      if (hasEnded) throw new Error(`The process has ended: ${(await this.child.ended).complaint}`)
      await this.#news.promise
    }
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL")
    await this.child.ended
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
