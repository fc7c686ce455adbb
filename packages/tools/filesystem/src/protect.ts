import { fits, type Glob, parseGlob } from "./glob.ts"

/**
 * What is neither read nor changed, wherever it lies: what holds keys and passwords, and what other programs run or
 * believe. A name protects everything below it as well.
 */
export const PROTECTED: readonly string[] = [
  // Environments and what sets them, but not the samples that say what belongs in them.
  ".env",
  ".env.*",
  "*.env",
  ".envrc",
  "!.env.example",
  "!.env.sample",
  "!.env.template",
  "!.env.dist",
  "!example.env",
  // Version control: its hooks are run, its configuration too, and it holds tokens.
  ".git",
  ".hg",
  ".svn",
  ".git-credentials",
  // Keys.
  ".ssh",
  ".gnupg",
  ".age",
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ed25519",
  "id_ecdsa_sk",
  "id_ed25519_sk",
  "*.pem",
  "*.key",
  "*.p12",
  "*.pfx",
  "*.ppk",
  "*.jks",
  "*.keystore",
  "*.kdbx",
  "*.asc.key",
  // Logins of programs and services.
  ".aws",
  ".azure",
  ".kube",
  ".docker",
  ".oci",
  ".config/gcloud",
  ".config/gh",
  ".config/op",
  ".password-store",
  ".netrc",
  "_netrc",
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".pgpass",
  ".my.cnf",
  ".htpasswd",
  ".vault-token",
  ".terraformrc",
  ".terraform.d",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".composer/auth.json",
  ".m2/settings.xml",
  ".gradle/gradle.properties",
  ".claude.json",
  ".claude/.credentials.json",
  // What a shell runs when it starts, and what it was told.
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".bash_logout",
  ".profile",
  ".zshrc",
  ".zshenv",
  ".zprofile",
  ".zlogin",
  ".bash_history",
  ".zsh_history",
  // No files at all.
  "/proc",
  "/sys",
  "/dev",
]

/**
 * A name in the one spelling in which names are compared. Disks that fold case or Unicode, Git's and Windows' own ways
 * to write ".git" (invisible characters, dots and blanks at the end, streams after a colon) come to the same; on a disk
 * that keeps them apart a few more names are protected than need be.
 */
export const folded = (name: string): string =>
  // Nearly all names are plain, and a search looks at a hundred thousand of them.
  /^[!-9;-~]*[!-\-/-9;-~]$/.test(name)
    ? name.toLowerCase()
    : name
        .normalize("NFKC")
        .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
        .replace(/(?<=.):.*$/su, "")
        .toLowerCase()
        .replace(/(?<=[^. ])[. ]+$/u, "")

/** What a sandbox keeps from being read and changed. Paths are real ones; `root` is the real folder they lie in. */
export interface Protection {
  /** Whether a path is protected, or a folder between `root` and it: that the sandbox is where it is was meant. */
  path(absolute: string, root: string): boolean
  /** The same for one whose folder is known not to be. */
  entry(absolute: string, root: string): boolean
}

/**
 * Patterns are names, globs, or paths of several names, which may lie anywhere; one that begins with a slash is
 * absolute; "!" takes back what came before it. What is below a protected folder is protected whatever is taken back.
 */
export function protection(patterns: readonly string[]): Protection {
  const rules = patterns.filter((pattern) => pattern !== "" && pattern !== "!").map(ruleOf)
  const below = decider(rules.filter((rule) => !rule.isAbsolute))
  const absolutely = decider(rules.filter((rule) => rule.isAbsolute))
  const upTo = (absolute: string, root: string, onlyLast: boolean): boolean => {
    const names = namesOf(absolute)
    const own = namesOf(root).length
    for (let count = onlyLast ? Math.max(own + 1, names.length) : own + 1; count <= names.length; count++)
      if (absolutely(names.slice(0, count)) || below(names.slice(own, count))) return true
    return false
  }
  return {
    path: (absolute, root) => upTo(absolute, root, false),
    entry: (absolute, root) => upTo(absolute, root, true),
  }
}

/** The last rule that fits decides. Nearly all are plain names, of which one look tells whether any fits. */
function decider(rules: readonly Rule[]): (names: readonly string[]) => boolean {
  const plain = new Set(rules.flatMap(({ name }) => name ?? []))
  const others = rules.filter(({ name }) => name === undefined)
  return (names) => {
    if (!plain.has(names.at(-1) ?? "") && !others.some(({ glob }) => fits(glob, names))) return false
    return rules.findLast(({ glob }) => fits(glob, names))?.takesBack === false
  }
}

const namesOf = (path: string): readonly string[] =>
  path
    .split(/[/\\]/)
    .filter((name) => name !== "")
    .map(folded)

interface Rule {
  readonly isAbsolute: boolean
  readonly takesBack: boolean
  readonly glob: Glob
  /** Set when it is a name without any sign that means something. */
  readonly name: string | undefined
}

function ruleOf(text: string): Rule {
  const takesBack = text.startsWith("!")
  const path = (takesBack ? text.slice(1) : text).replaceAll("\\", "/")
  const isAbsolute = path.startsWith("/") || /^[a-zA-Z]:\//.test(path)
  const names = namesOf(path)
  const steps = parseGlob(names.join("/"))
  const isPlain = !isAbsolute && names.length === 1 && !/[*?[]/.test(path)
  return {
    isAbsolute,
    takesBack,
    glob: isAbsolute ? steps : ["folders", ...steps],
    name: isPlain ? names[0] : undefined,
  }
}
