import { codePoints, InvalidInput, type Tool, truncated } from "@orra/core"
import {
  body,
  type Call,
  COMMENTS,
  type GitHub,
  githubTool,
  input,
  LISTED,
  type ListedState,
} from "./github-tool.ts"
import { commentOn, newestComments } from "./issues.ts"
import { day, firstItems, labelLine, login, plural } from "./listing.ts"

const DIFF_LENGTH = 20_000
/** As many as GitHub's own page of a pull request shows. */
const MAX_FILES = 300
const MAX_CHECKS = 300
const MAX_REVIEWS = 300

const branch = (description: string) => ({ type: "string", minLength: 1, maxLength: 255, description })

export function pullRequestTools(github: GitHub): readonly Tool[] {
  return [
    githubTool<{ state?: ListedState; base?: string; limit?: number }>(github, {
      name: "list_pull_requests",
      description: "Lists pull requests, newest first.",
      properties: {
        state: input.state,
        base: branch("Only those into this branch."),
        limit: input.limit,
      },
      risk: "network",
      async run({ state = "open", base, limit = LISTED }, { client, at }) {
        const found = await firstItems(
          limit,
          async (page) =>
            (await client.rest.pulls.list({ ...at, ...page, state, ...(base !== undefined && { base }) }))
              .data,
        )
        if (found.length === 0) return `No ${state} pull requests found.`
        return found
          .map((pull) =>
            [
              `#${pull.number} [${stateOf(pull)}] ${pull.title}`,
              `  ${pull.head.label} into ${pull.base.ref}, by ${login(pull.user)} on ${day(pull.created_at)}`,
            ].join("\n"),
          )
          .join("\n")
      },
    }),

    githubTool<{ number: number; diff?: boolean; max_diff_length?: number; comments?: number }>(github, {
      name: "get_pull_request",
      description: "Reads a pull request: its text, checks, reviews, files, diff and newest comments.",
      properties: {
        number: input.number,
        diff: { type: "boolean", description: "Also the diff. Default true." },
        max_diff_length: {
          type: "integer",
          minimum: 1,
          maximum: 500_000,
          description: `Most characters of the diff. Default ${DIFF_LENGTH}.`,
        },
        comments: input.comments,
      },
      required: ["number"],
      risk: "network",
      async run({ number, diff = true, max_diff_length: length = DIFF_LENGTH, comments = COMMENTS }, call) {
        const { client, at } = call
        const { data: pull } = await client.rest.pulls.get({ ...at, pull_number: number })
        return [
          `#${pull.number} [${stateOf(pull)}] ${pull.title}`,
          `${pull.head.label} into ${pull.base.ref}, by ${login(pull.user)} on ${day(pull.created_at)}`,
          `head commit: ${pull.head.sha}`,
          labelLine(pull.labels),
          ...(pull.state === "open"
            ? [`can be merged: ${mergeable(pull.mergeable, pull.mergeable_state)}`]
            : []),
          "",
          pull.body || "(no description)",
          "",
          ...(await checks(call, pull.head.sha)),
          "",
          ...(await reviews(call, number)),
          "",
          ...(await files(call, number, pull.changed_files)),
          ...(diff ? ["", await diffOf(call, number, length)] : []),
          ...(await newestComments(call, pull, comments)),
        ].join("\n")
      },
    }),

    githubTool<{ title: string; head: string; base?: string; body?: string; draft?: boolean }>(github, {
      name: "create_pull_request",
      description: "Creates a pull request from a branch that has been pushed.",
      properties: {
        title: input.title,
        head: branch("The branch with the changes, of the same repository."),
        base: branch("The branch to merge into. Default: the repository's default branch."),
        body: body("Its text, as Markdown."),
        draft: { type: "boolean", description: "Default false." },
      },
      required: ["title", "head"],
      risk: "write",
      async run({ title, head, base, body, draft = false }, { client, at, repository }) {
        if (head.includes(":"))
          throw new InvalidInput(
            `head is the name of a branch of ${repository.name}: leave out what is before ":".`,
          )
        const into = base ?? (await client.rest.repos.get(at)).data.default_branch
        const { data: pull } = await client.rest.pulls.create({
          ...at,
          title,
          head,
          base: into,
          draft,
          ...(body !== undefined && { body }),
        })
        return `Created pull request #${pull.number}: ${pull.title}\n${pull.html_url}`
      },
    }),

    githubTool<{
      number: number
      event: "approve" | "request_changes" | "comment"
      body?: string
      comments?: readonly ReviewComment[]
    }>(github, {
      name: "review_pull_request",
      description: "Reviews a pull request, with comments on lines of its diff.",
      properties: {
        number: input.number,
        event: { type: "string", enum: ["approve", "request_changes", "comment"] },
        body: body("The review. Needed unless it approves."),
        comments: {
          type: "array",
          maxItems: 100,
          items: {
            type: "object",
            properties: {
              path: { type: "string", description: "The file, from the repository's root." },
              line: { type: "integer", minimum: 1, description: "The line in the file, within the diff." },
              side: {
                type: "string",
                enum: ["new", "old"],
                description: "Whether the line is of the new file or of the old one. Default new.",
              },
              body: body("The comment."),
            },
            required: ["path", "line", "body"],
            additionalProperties: false,
          },
        },
      },
      required: ["number", "event"],
      risk: "write",
      async run({ number, event, body = "", comments = [] }, { client, at }) {
        if (event !== "approve" && body.trim() === "")
          throw new InvalidInput("Only an approval needs no words: say in body what the review is about.")
        const { data } = await client.rest.pulls.createReview({
          ...at,
          pull_number: number,
          event: EVENTS[event],
          body,
          comments: comments.map(({ path, line, side = "new", body }) => ({
            path,
            line,
            body,
            side: side === "new" ? "RIGHT" : "LEFT",
          })),
        })
        return `Reviewed #${number} (${event}, ${plural(comments.length, "line comment")}): ${data.html_url}`
      },
    }),

    githubTool<{ number: number; body: string }>(github, {
      name: "comment_on_pull_request",
      description: "Comments on a pull request as a whole.",
      properties: { number: input.number, body: body("The comment, as Markdown.") },
      required: ["number", "body"],
      risk: "write",
      run: ({ number, body }, call) => commentOn(call, number, body),
    }),

    githubTool<{ number: number; sha: string; method?: "merge" | "squash" | "rebase"; message?: string }>(
      github,
      {
        name: "merge_pull_request",
        description: "Merges a pull request as it was read: not if something was pushed since.",
        properties: {
          number: input.number,
          sha: {
            type: "string",
            pattern: "^[0-9a-f]{40,64}$",
            description: "The head commit that get_pull_request showed.",
          },
          method: { type: "string", enum: ["merge", "squash", "rebase"], description: "Default merge." },
          message: body("The text of the commit, instead of GitHub's own."),
        },
        required: ["number", "sha"],
        risk: "write",
        async run({ number, sha, method = "merge", message }, { client, at }) {
          const { data } = await client.rest.pulls.merge({
            ...at,
            pull_number: number,
            sha,
            merge_method: method,
            ...(message !== undefined && { commit_message: message }),
          })
          return `Merged #${number} (${method}): ${data.sha}`
        },
      },
    ),
  ]
}

interface ReviewComment {
  readonly path: string
  readonly line: number
  readonly side?: "new" | "old"
  readonly body: string
}

const EVENTS = { approve: "APPROVE", request_changes: "REQUEST_CHANGES", comment: "COMMENT" } as const

const stateOf = (pull: {
  readonly state: string
  readonly draft?: boolean
  readonly merged_at: string | null
}) => (pull.merged_at ? "merged" : pull.draft ? `${pull.state}, draft` : pull.state)

const mergeable = (can: boolean | null, state: string): string =>
  can === null ? "GitHub does not know yet, ask again in some seconds" : `${can ? "yes" : "no"} (${state})`

/** What CI says of a commit: its check runs, and the statuses of older services. */
async function checks({ client, at }: Call, ref: string): Promise<readonly string[]> {
  const [runs, statuses] = await Promise.all([
    firstItems(
      MAX_CHECKS,
      async (page) => (await client.rest.checks.listForRef({ ...at, ...page, ref })).data.check_runs,
    ),
    firstItems(
      MAX_CHECKS,
      async (page) => (await client.rest.repos.listCommitStatusesForRef({ ...at, ...page, ref })).data,
    ),
  ])
  // Newest first: a later status of the same name takes the place of an earlier one.
  const latest = new Map(statuses.toReversed().map(({ context, state }) => [context, state]))
  const lines = [
    ...runs.map(({ name, status, conclusion }) => `  ${name}: ${conclusion ?? status}`),
    ...[...latest].map(([context, state]) => `  ${context}: ${state}`),
  ]
  return lines.length > 0 ? ["checks:", ...lines] : ["checks: none"]
}

async function reviews({ client, at }: Call, number: number): Promise<readonly string[]> {
  const all = await firstItems(
    MAX_REVIEWS,
    async (page) => (await client.rest.pulls.listReviews({ ...at, ...page, pull_number: number })).data,
  )
  if (all.length === 0) return ["reviews: none"]
  return [
    "reviews:",
    ...all.map(({ user, state, submitted_at, body }) => {
      const said = body.trim() === "" ? "" : `: ${body}`
      return `  ${login(user)} ${state.toLowerCase().replaceAll("_", " ")} on ${day(submitted_at)}${said}`
    }),
  ]
}

async function files({ client, at }: Call, number: number, total: number): Promise<readonly string[]> {
  const listed = await firstItems(
    MAX_FILES,
    async (page) => (await client.rest.pulls.listFiles({ ...at, ...page, pull_number: number })).data,
  )
  const more = total - listed.length
  return [
    `${plural(total, "file")}:`,
    ...listed.map(
      ({ status, filename, additions, deletions }) => `  ${status} ${filename} +${additions} -${deletions}`,
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}

async function diffOf({ client, at }: Call, number: number, length: number): Promise<string> {
  try {
    const { data } = await client.rest.pulls.get({
      ...at,
      pull_number: number,
      mediaType: { format: "diff" },
    })
    // What is asked for as a diff comes as one; the types know only of JSON.
    const text = String(data)
    return truncated(text, codePoints(text), length)
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 406)
      return "The diff is larger than GitHub shows."
    throw error
  }
}
