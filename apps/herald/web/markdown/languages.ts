type Loader = () => Promise<{ readonly default: unknown }>

/** The languages that can be coloured. Each is a file of its own, fetched when a block of it is shown. */
const LANGUAGES: Readonly<Record<string, Loader>> = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  docker: () => import("shiki/langs/docker.mjs"),
  elixir: () => import("shiki/langs/elixir.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  graphql: () => import("shiki/langs/graphql.mjs"),
  haskell: () => import("shiki/langs/haskell.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  latex: () => import("shiki/langs/latex.mjs"),
  lua: () => import("shiki/langs/lua.mjs"),
  makefile: () => import("shiki/langs/makefile.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  nix: () => import("shiki/langs/nix.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  powershell: () => import("shiki/langs/powershell.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  scala: () => import("shiki/langs/scala.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
  zig: () => import("shiki/langs/zig.mjs"),
}

const ALIASES: Readonly<Record<string, string>> = {
  "c++": "cpp",
  cs: "csharp",
  dockerfile: "docker",
  ex: "elixir",
  golang: "go",
  hs: "haskell",
  htm: "html",
  js: "javascript",
  jsonc: "json",
  kt: "kotlin",
  make: "makefile",
  md: "markdown",
  mjs: "javascript",
  ps1: "powershell",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  shellsession: "bash",
  svg: "xml",
  tex: "latex",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
}

/** The language's one name, when it can be coloured. */
export function languageOf(name: string): string | undefined {
  const lower = name.toLowerCase()
  const language = ALIASES[lower] ?? lower
  return Object.hasOwn(LANGUAGES, language) ? language : undefined
}

export const loaderOf = (language: string): Loader | undefined => LANGUAGES[language]

const EXTENSIONS: Readonly<Record<string, string>> = {
  bash: "sh",
  csharp: "cs",
  docker: "Dockerfile",
  elixir: "ex",
  haskell: "hs",
  javascript: "js",
  kotlin: "kt",
  latex: "tex",
  markdown: "md",
  powershell: "ps1",
  python: "py",
  ruby: "rb",
  rust: "rs",
  typescript: "ts",
}

/** What is drawn has an extension of its own. */
const DRAWN: Readonly<Record<string, string>> = { mermaid: "mmd", svg: "svg" }

/** What a downloaded block is called. */
export function fileNameOf(name: string, title = "code"): string {
  const language = languageOf(name)
  const extension =
    DRAWN[name.toLowerCase()] ?? (language === undefined ? "txt" : (EXTENSIONS[language] ?? language))
  return extension === "Dockerfile" ? extension : `${title}.${extension}`
}
