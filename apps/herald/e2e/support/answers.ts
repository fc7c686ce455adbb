import {
  call,
  fail,
  hang,
  lastText,
  say,
  think,
  type WireAnswer,
  type WireRequest,
  wait,
} from "@orra/testing"
import { demoAnswer, hasResults, lastUserText } from "./demo-model.ts"

/** What came from outside and must stay text. Each would set `window.hacked`, load something, or leave the page. */
export const HOSTILE = `<script>window.hacked = 1</script>

<img src=x onerror="window.hacked = 2"> and <svg onload="window.hacked = 3"></svg>

<iframe src="javascript:parent.hacked = 4"></iframe>

<details open ontoggle="window.hacked = 5"><summary>open</summary></details>

<form action="https://evil.example/"><input name="password"><button>Log in</button></form>

<style>body { display: none }</style>

<a href="javascript:window.hacked = 6">raw link</a> <div style="position:fixed;inset:0">cover</div>

[link](javascript:window.hacked=7) [data](data:text/html,<script>window.hacked=8</script>) [vb](vbscript:x)

![picture](https://evil.example/pixel.png) ![two](javascript:window.hacked=9)

<base href="https://evil.example/"> <meta http-equiv="refresh" content="0;url=https://evil.example/">

<math><mtext><table><mglyph><style><img src=x onerror="window.hacked = 10"></style></mglyph></table></mtext></math>

<b onclick="window.hacked = 11">bold</b> <div id="root" class="backdrop">clobber</div>

[ok](https://example.org/) \`<script>window.hacked = 12</script>\`

| <img src=x onerror=window.hacked=13> |
| --- |
| <script>window.hacked = 14</script> |

\`\`\`html
<script>window.hacked = 15</script>
\`\`\`

the end`

/** Doors that tests open by name, to look at the page in the middle of an answer. */
export function gates() {
  const known = new Map<string, PromiseWithResolvers<void>>()
  return (name: string): PromiseWithResolvers<void> => {
    const gate = known.get(name) ?? Promise.withResolvers<void>()
    known.set(name, gate)
    return gate
  }
}

export function answers(gate: ReturnType<typeof gates>): (request: WireRequest) => WireAnswer {
  let count = 0
  let failures = 0
  return (request) => {
    const text = lastUserText(request)
    const held = /^hold (\w+)/.exec(text)?.[1]
    if (held !== undefined) {
      return [
        think("I am thinking."),
        say("The first "),
        say("half. "),
        wait(gate(held).promise),
        say("The second half."),
      ]
    }
    if (/^hang/.test(text)) return [say("So far "), say("so good."), hang()]
    if (/^hostile/.test(text))
      return [call("current_time", { zone: "<img src=x onerror=window.hacked=16>" }), say(HOSTILE)]
    if (/^fail/.test(text))
      return ++failures % 2 === 1 ? [say("It began well. "), fail("invalid_request")] : "Now it works."
    if (/^evil/.test(text)) return HOSTILE
    if (/^write/.test(text)) {
      const args = { path: `${text.split(" ")[1]}.txt`, content: "Buy\u202E milk" }
      return hasResults(request) ? `So be it: ${lastText(request)}` : [call("write_file", args)]
    }
    if (/^survey/.test(text)) {
      if (hasResults(request)) return "That is all there is."
      const zones = ["Asia/Tokyo", "Europe/Berlin", "Europe/Lisbon"].map((zone) =>
        call("current_time", { zone }),
      )
      const folders = [".", "."].map((path) => call("list_dir", { path }))
      return [say("I look around."), ...zones, ...folders, call("read_file", { path: "missing.txt" })]
    }
    if (/^count/.test(text)) return `Answer number ${++count}.`
    return demoAnswer(request)
  }
}
