import { InvalidInput } from "@orra/core"

/** A repository that the tools may touch. */
export interface Repository {
  readonly owner: string
  readonly repo: string
  /** `owner/name`. */
  readonly name: string
}

const NAME = /^([a-z\d](?:[a-z\d-]{0,38}))\/([\w.-]{1,100})$/i

/** @throws InvalidInput for none, or one that is not `owner/name`. */
export function readRepositories(names: readonly string[]): readonly Repository[] {
  if (names.length === 0) throw new InvalidInput('Name the repositories: repositories: ["owner/name"].')
  return names.map((name) => {
    const [, owner, repo] = NAME.exec(name) ?? []
    if (!owner || !repo || repo === "." || repo === "..")
      throw new InvalidInput(`${JSON.stringify(name)} is not a repository: write "owner/name".`)
    return { owner, repo, name }
  })
}

/** The repository of that name; the first where none is named. @throws InvalidInput for any other. */
export function chosen(repositories: readonly Repository[], name: string | undefined): Repository {
  const wanted = name?.toLowerCase()
  const found =
    wanted === undefined ? repositories[0] : repositories.find((each) => each.name.toLowerCase() === wanted)
  if (found) return found
  const known = repositories.map((each) => each.name).join(", ")
  throw new InvalidInput(`There is no repository ${JSON.stringify(name)} here. Use one of: ${known}.`)
}
