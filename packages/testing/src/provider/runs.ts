import { messageText, Namespace, Runtime, readHistory, type Tool, tool } from "@orra/core"
import { describe, expect, test } from "vitest"
import { call, hang, say, think } from "../scripted-provider.ts"
import { fakeModelServer, raw } from "../wire-server.ts"
import { AT_ONCE, type MakeProvider, setup } from "./fixture.ts"

const weather: Tool = tool<{ city: string }>({
  name: "weather",
  description: "The weather in a city, now.",
  input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  risk: "read",
  execute: ({ city }) => `Snow in ${city}.`,
})

/** Tests of whole runs: what the runtime keeps of an answer is what the service takes back. */
export function runConformance(make: MakeProvider): void {
  describe("run", () => {
    test("with thinking, parallel calls, a broken one, and the answer", async () => {
      const { provider, server } = await setup(make, [
        [
          think("Two cities.", "signed"),
          say("Let me look."),
          call("weather", { city: "Oslo" }),
          call("weather", { city: "Łódź" }),
          call("weather", "{broken"),
        ],
        "Snow in both.",
        "You asked before.",
      ])
      const runtime = new Runtime({ provider, tools: [weather] })
      const ns = Namespace.of("test")
      expect((await runtime.run(ns, "What should I wear?")).text).toBe("Snow in both.")
      expect((await runtime.run(ns, "And now?")).text).toBe("You asked before.")
      const sent = JSON.stringify(server.requests[1]?.body)
      expect(sent).toContain("Snow in Oslo.")
      expect(sent).toContain("Snow in Łódź.")
      expect(sent).toContain("{broken")
      await runtime.close()
    })

    test("stopped in the middle of a call, it goes on with the next message", async () => {
      const { provider, server } = await setup(make, [
        [think("Hm."), say("Let me "), call("weather", { city: "Oslo" }), hang()],
        "As I was saying.",
      ])
      const runtime = new Runtime({ provider, tools: [weather] })
      const ns = Namespace.of("test")
      for await (const event of runtime.stream(ns, "What should I wear?")) {
        if (event.type === "delta") await runtime.stop(ns)
      }
      expect(await (await server.request(1)).closed).toBe("aborted")
      expect((await runtime.run(ns, "Well?")).text).toBe("As I was saying.")
      await runtime.close()
    })

    test("an answer that broke off is kept, and the session goes on", async () => {
      const { provider, server } = await setup(
        make,
        [[say("Half an ans"), raw("data: {broken\n\n")], "Whole."],
        {
          retry: AT_ONCE,
        },
      )
      const runtime = new Runtime({ provider })
      const ns = Namespace.of("test")
      await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({ code: "provider_protocol" })
      expect((await runtime.run(ns, "Again")).text).toBe("Whole.")
      expect(JSON.stringify(server.requests[1]?.body)).toContain("Half an ans")
      await runtime.close()
    })

    test("two sessions at once do not mix", async () => {
      await using server = await fakeModelServer([], { tokenMs: 1 })
      const provider = make(server, { apiKey: "k", retry: AT_ONCE, timeoutMs: 60_000, fetch })
      const runtime = new Runtime({ provider })
      const names = Array.from({ length: 20 }, (_, index) => `person ${index} of twenty`)
      const answers = await Promise.all(
        names.map((name) => runtime.run(Namespace.of("test", name), `I am ${name}.`)),
      )
      expect(answers.map(({ text }) => text)).toEqual(names.map((name) => `You said: I am ${name}.`))
      const history = await readHistory(runtime, Namespace.of("test", names[7] ?? ""))
      const messages = history?.entries.flatMap((entry) =>
        "message" in entry ? [messageText(entry.message)] : [],
      )
      expect(messages).toEqual([`I am ${names[7]}.`, `You said: I am ${names[7]}.`])
      await runtime.close()
    })
  })
}
