import { Argument, type Command } from "commander"
import { readConfig } from "../config.ts"
import type { Act } from "../program.ts"

/** Each asks the program itself what can follow, so that it knows every command and the names of projects. */
const SCRIPTS = {
  bash: `_orra() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(orra complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _orra orra`,
  zsh: `#compdef orra
_orra() {
  local -a candidates
  candidates=("\${(@f)$(orra complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _orra orra`,
  fish: `complete -c orra -f -a "(orra complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)"`,
} as const

/** `completion`: scripts for shells, and what they ask. */
export function completionCommands(program: Command, act: Act): void {
  program
    .command("completion")
    .description("a script that makes a shell complete commands, options and names of projects")
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      [
        "",
        "bash: echo 'source <(orra completion bash)' >> ~/.bashrc",
        "zsh:  echo 'source <(orra completion zsh)' >> ~/.zshrc   (below compinit)",
        "fish: orra completion fish > ~/.config/fish/completions/orra.fish",
      ].join("\n"),
    )
    .action(
      act((cli, shell: keyof typeof SCRIPTS) => {
        cli.show({ shell, script: SCRIPTS[shell] }, () => SCRIPTS[shell])
      }),
    )
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(
      act((cli, words: readonly string[]) => {
        const found = candidates(program, words, () => Object.keys(readConfig(cli.configPath).projects))
        cli.show(found, (shown) => shown.join("\n"))
      }),
    )
}

/** What can stand in the place of the last word. */
function candidates(
  program: Command,
  words: readonly string[],
  projects: () => readonly string[],
): readonly string[] {
  const before = words.slice(0, -1)
  const current = words.at(-1) ?? ""
  let command = program
  for (const word of before)
    command =
      command.commands.find((each) => each.name() === word || each.aliases().includes(word)) ?? command
  const options = [...command.options, ...program.options]
  const previous = options.find(
    ({ long, short }) => before.length > 0 && [long, short].includes(before.at(-1)),
  )
  if (previous?.required)
    return matching(previous.argChoices ?? (previous.long === "--project" ? projects() : []), current)
  if (current.startsWith("-"))
    return matching([...options.flatMap(({ long }) => long ?? []), "--help"], current)
  if (command.name() === "use") return matching(projects(), current)
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
  const commands = command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name())
  return matching([...commands, ...choices], current)
}

const matching = (all: readonly string[], start: string): readonly string[] =>
  all.filter((each) => each.startsWith(start))
