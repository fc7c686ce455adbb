import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { charEstimator, countMessage, type ViewItem } from "./context.ts"
import { afterCut, type Cut, type CutView, planCut } from "./cut.ts"
import { assertCut } from "./cut-check.ts"
import { type Message, userMessage } from "./message.ts"
import { shortenLastResults } from "./shorten.ts"

/** Turns of a conversation: a user message, then steps of an answer with some calls and their results. */
const conversation = fc
  .array(
    fc.record({
      user: fc.integer({ min: 1, max: 400 }),
      steps: fc.array(
        fc.record({
          calls: fc.integer({ min: 0, max: 4 }),
          size: fc.integer({ min: 1, max: 2_000 }),
          isPinned: fc.boolean(),
        }),
        { maxLength: 5 },
      ),
      isPinned: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((turns) => fc.record({ turns: fc.constant(turns), pins: fc.boolean(), open: fc.boolean() }))
  .map(({ turns, pins, open }) => {
    const view: ViewItem[] = []
    const pinned = new Set<number>()
    const openCalls = new Map<string, unknown>()
    const add = (message: Message, isPinned: boolean) => {
      const seq = view.length * 3 + 1
      view.push({ seq, message, tokens: countMessage(message, charEstimator) })
      if (pins && isPinned) pinned.add(seq)
    }
    for (const [turn, { user, steps, isPinned }] of turns.entries()) {
      add(userMessage("u".repeat(user)), isPinned)
      for (const [step, { calls, size, isPinned }] of steps.entries()) {
        const isOpen = open && turn === turns.length - 1 && step === steps.length - 1
        const ids = Array.from({ length: calls }, (_, index) => `${view.length}-${index}`)
        add(
          {
            role: "assistant",
            parts: [
              { type: "text", text: "hm" },
              ...ids.map((id) => ({ type: "tool_call" as const, id, name: "t", arguments: {} })),
            ],
          },
          isPinned,
        )
        for (const [index, id] of ids.entries()) {
          if (isOpen && index > 0) openCalls.set(id, {})
          else add(toolMessage(id, size), isPinned)
        }
      }
    }
    return { view, from: 0, pinned: (seq: number) => pinned.has(seq), openCalls }
  })

const toolMessage = (callId: string, size: number): Message => ({
  role: "tool",
  parts: [
    {
      type: "tool_result",
      callId,
      name: "t",
      status: "ok",
      content: [{ type: "text", text: "r".repeat(size) }],
    },
  ],
})

const total = (items: readonly ViewItem[]): number => items.reduce((sum, { tokens }) => sum + tokens, 0)

/** The calls that the items ask for and the results they have, in order. */
function pairs(items: readonly ViewItem[]): { readonly asked: string[]; readonly answered: string[] } {
  const parts = items.flatMap(({ message }) => [...message.parts] as Message["parts"][number][])
  return {
    asked: parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : [])),
    answered: parts.flatMap((part) => (part.type === "tool_result" ? [part.callId] : [])),
  }
}

/** What must be true of the view after a cut, looked at without the code that makes it. */
function expectWhole(
  before: CutView,
  openCalls: ReadonlyMap<string, unknown>,
  kept: readonly ViewItem[],
): void {
  const { asked, answered } = pairs(kept)
  const open = [...openCalls.keys()]
  expect([...answered, ...open].toSorted()).toEqual(asked.toSorted())
  expect(kept).toEqual(before.view.filter((item) => kept.includes(item)))
  for (const item of before.view) if (before.pinned(item.seq)) expect(kept).toContain(item)
  expect(kept.at(-1)).toBe(before.view.at(-1))
  const isAsked = (item: ViewItem) => item.message.role === "user"
  expect(kept.findLast(isAsked)).toBe(before.view.findLast(isAsked))
}

describe("a view that is too long", () => {
  test("property: loses whole turns and steps, the oldest first, and nothing that is pinned, open or asked", () => {
    let cuts = 0
    fc.assert(
      fc.property(conversation, fc.integer({ min: 100, max: 3_000 }), (before, available) => {
        const fixed = 50
        const all = total(before.view) + fixed
        if (all <= available) return
        const cut = planCut(before, all, available)
        const kept = cut ? afterCut(before, cut) : before.view
        if (cut) {
          cuts++
          assertCut(before, cut, before.openCalls)
          expect(kept.length).toBeLessThanOrEqual(before.view.length)
        }
        expectWhole(before, before.openCalls, kept)
        // What cannot go: the message that is being answered, the last step, and what is pinned.
        const asked = before.view.findLastIndex(({ message }) => message.role === "user")
        const step = before.view.findLastIndex(({ message }) => message.role === "assistant")
        const least = before.view.filter(
          ({ seq }, index) => index === asked || before.pinned(seq) || index >= Math.max(asked, step),
        )
        if (total(kept) + fixed > available) expect(kept).toEqual(least)
        // There is room for some turns, unless the last one needs it.
        const turns = kept.filter(({ message, seq }) => message.role === "user" && !before.pinned(seq)).length
        if (turns > 1 && cut) expect(total(kept) + fixed).toBeLessThanOrEqual(available * 0.75)
        // Nothing newer went while something older stayed, but for what has to stay.
        const gone = before.view.filter((item) => !kept.includes(item))
        const newest = gone.at(-1)?.seq ?? 0
        for (const item of kept) if (item.seq < newest) expect(least).toContain(item)
      }),
      { numRuns: 500 },
    )
    expect(cuts).toBeGreaterThan(100)
  })

  test("property: can be cut again and again while it grows, each time further on", () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 300, max: 1_500 }), (all, available) => {
        let current: CutView = { view: [], from: 0, pinned: all.pinned }
        let last: Cut = { from: 0 }
        for (const item of all.view) {
          current = { ...current, view: [...current.view, item] }
          if (item.message.role === "assistant" || total(current.view) <= available) continue
          const cut = planCut(current, total(current.view), available)
          if (!cut) continue
          assertCut(current, cut)
          expect(cut.from).toBeGreaterThan(current.from)
          last = cut
          current = { ...current, from: cut.from, view: afterCut(current, cut) }
        }
        // From the whole log the last cut leaves the same: nobody has to know of the ones before it.
        expect(current.view).toEqual(
          all.view.filter(({ seq }) => seq >= last.from || seq === last.keep || all.pinned(seq)),
        )
      }),
      { numRuns: 300 },
    )
  })

  test("property: no cut is let through that separates, loses an open call, a pin, or what is being answered", () => {
    let refused = 0
    let passed = 0
    fc.assert(
      fc.property(conversation, fc.nat(), fc.option(fc.nat()), (before, at, keepAt) => {
        const seqOf = (index: number) => before.view[index % before.view.length]?.seq ?? 0
        const cut = { from: seqOf(at), ...(keepAt !== null && { keep: seqOf(keepAt) }) }
        try {
          assertCut(before, cut, before.openCalls)
          passed++
        } catch (error) {
          expect(error).toMatchObject({ code: "compaction_refused" })
          refused++
          return
        }
        expectWhole(before, before.openCalls, afterCut(before, cut))
      }),
      { numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(50)
    expect(passed).toBeGreaterThan(50)
  })

  test("is refused a cut that would lose a pin or an open call, each by its own name", () => {
    const said = (seq: number, message: Message): ViewItem => ({ seq, message, tokens: 10 })
    const answer: Message = {
      role: "assistant",
      parts: [{ type: "tool_call", id: "open", name: "t", arguments: {} }],
    }
    const view = [said(1, userMessage("a")), said(2, answer), said(3, userMessage("b"))]
    const none = () => false
    expect(() => assertCut({ view, from: 0, pinned: none }, { from: 3 }, new Map())).not.toThrow()
    const open = new Map([["open", {}]])
    expect(() => assertCut({ view, from: 0, pinned: none }, { from: 3 }, open)).toThrow(/open call open/)
    // Of two calls of one id, in two steps, the newer one is open.
    const again = [...view, said(4, answer), said(5, userMessage("c"))]
    expect(() => assertCut({ view: again, from: 0, pinned: none }, { from: 4 }, open)).not.toThrow()
    expect(() => assertCut({ view: again, from: 0, pinned: none }, { from: 5 }, open)).toThrow(
      /open call open/,
    )
    // What is left is looked at again, not what it was made with.
    let asked = 0
    const late = (seq: number) => ++asked > 2 && seq === 1
    expect(() => assertCut({ view, from: 0, pinned: late }, { from: 3 }, new Map())).toThrow(
      /1, which is pinned/,
    )
  })

  test("property: fits with the results of its last step shortened, whenever the rest of it leaves room", () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 700, max: 3_000 }), (before, available) => {
        const last = { ...before, pinned: () => false }
        const cut = planCut(last, total(last.view), available)
        const kept = cut ? afterCut(last, cut) : last.view
        const excess = total(kept) - available
        const items = excess > 0 ? shortenLastResults(kept, excess, charEstimator) : kept
        expect(total(items)).toBeLessThanOrEqual(available)
        expect(pairs(items)).toEqual(pairs(kept))
      }),
      { numRuns: 500 },
    )
  })
})
