import { InvalidInput, type Tool } from "@orra/core"
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
import { day, firstItems, labelLine, labelNames, login, PER_PAGE, plural } from "./listing.ts"

const names = (description: string) => ({ type: "array", items: { type: "string" }, description })

/** What lists of issues hold of one. Pull requests are among them. */
interface ListedIssue {
  readonly number: number
  readonly state: string
  readonly title: string
  readonly labels: readonly (string | { readonly name?: string | null })[]
  readonly assignees?: readonly { readonly login?: string }[] | null
  readonly user: { readonly login?: string } | null
  readonly comments: number
  readonly pull_request?: unknown
}

function summary(issue: ListedIssue): string {
  const labels = labelNames(issue.labels)
  const assignees = (issue.assignees ?? []).map(login)
  return [
    `#${issue.number} [${issue.state}] ${issue.title}`,
    ...(labels.length > 0 ? [`  labels: ${labels.join(", ")}`] : []),
    ...(assignees.length > 0 ? [`  assigned to: ${assignees.join(", ")}`] : []),
    `  by ${login(issue.user)}, ${plural(issue.comments, "comment")}`,
  ].join("\n")
}

export function issueTools(github: GitHub): readonly Tool[] {
  return [
    githubTool<{ state?: ListedState; labels?: string; limit?: number }>(github, {
      name: "list_issues",
      description: "Lists issues, newest first.",
      properties: {
        state: input.state,
        labels: { type: "string", description: "Only issues with all of these labels, separated by commas." },
        limit: input.limit,
      },
      risk: "network",
      async run({ state = "open", labels, limit = LISTED }, { client, at }) {
        const found = await firstItems(
          limit,
          async (page) =>
            (await client.rest.issues.listForRepo({ ...at, ...page, state, ...(labels && { labels }) })).data,
          ({ pull_request }) => pull_request === undefined,
        )
        return found.length > 0 ? found.map(summary).join("\n") : `No ${state} issues found.`
      },
    }),

    githubTool<{ number: number; comments?: number }>(github, {
      name: "get_issue",
      description: "Reads an issue with its newest comments.",
      properties: {
        number: input.number,
        comments: input.comments,
      },
      required: ["number"],
      risk: "network",
      async run({ number, comments = COMMENTS }, call) {
        const { data: issue } = await call.client.rest.issues.get({ ...call.at, issue_number: number })
        return [
          `#${issue.number} [${issue.state}] ${issue.title}`,
          ...(issue.pull_request ? ["This is a pull request: get_pull_request shows more."] : []),
          `by ${login(issue.user)} on ${day(issue.created_at)}`,
          labelLine(issue.labels),
          `assignees: ${(issue.assignees ?? []).map(login).join(", ") || "none"}`,
          "",
          issue.body || "(no description)",
          ...(await newestComments(call, issue, comments)),
        ].join("\n")
      },
    }),

    githubTool<{ title: string; body?: string; labels?: readonly string[]; assignees?: readonly string[] }>(
      github,
      {
        name: "create_issue",
        description: "Creates an issue.",
        properties: {
          title: input.title,
          body: body("Its text, as Markdown."),
          labels: names("Labels that exist in the repository."),
          assignees: names("Accounts to assign it to."),
        },
        required: ["title"],
        risk: "write",
        async run({ title, body, labels = [], assignees = [] }, { client, at }) {
          const { data: issue } = await client.rest.issues.create({
            ...at,
            title,
            ...(body !== undefined && { body }),
            labels: [...labels],
            assignees: [...assignees],
          })
          // GitHub leaves out what the token may not set, and says nothing.
          const set = [...labelNames(issue.labels), ...(issue.assignees ?? []).map(login)]
          const known = new Set(set.map((name) => name.toLowerCase()))
          const left = [...labels, ...assignees].filter((name) => !known.has(name.toLowerCase()))
          return [
            `Created issue #${issue.number}: ${issue.title}`,
            issue.html_url,
            ...(left.length > 0 ? [`GitHub did not set: ${left.join(", ")}`] : []),
          ].join("\n")
        },
      },
    ),

    githubTool<{ number: number; body: string }>(github, {
      name: "add_comment",
      description: "Comments on an issue.",
      properties: { number: input.number, body: body("The comment, as Markdown.") },
      required: ["number", "body"],
      risk: "write",
      run: ({ number, body }, call) => commentOn(call, number, body),
    }),

    githubTool<{ number: number; comment?: string; reason?: "completed" | "not_planned" }>(github, {
      name: "close_issue",
      description: "Closes an issue, after a comment if there is one.",
      properties: {
        number: input.number,
        comment: body("Said before it is closed."),
        reason: {
          type: "string",
          enum: ["completed", "not_planned"],
          description: "Why it is closed. Default completed.",
        },
      },
      required: ["number"],
      risk: "write",
      async run({ number, comment, reason = "completed" }, call) {
        const said = comment ? `${await commentOn(call, number, comment)}\n` : ""
        const { client, at } = call
        await client.rest.issues.update({
          ...at,
          issue_number: number,
          state: "closed",
          state_reason: reason,
        })
        return `${said}Closed issue #${number} as ${reason}.`
      },
    }),

    githubTool<{ query: string; state?: "open" | "closed"; limit?: number }>(github, {
      name: "search_issues",
      description: "Searches issues by words and by GitHub's qualifiers, such as label:bug or author:ann.",
      properties: {
        query: { type: "string", minLength: 1, maxLength: 256 },
        state: { type: "string", enum: ["open", "closed"], description: "Default both." },
        limit: input.limit,
      },
      required: ["query"],
      risk: "network",
      async run({ query, state, limit = LISTED }, { client, at, repository }) {
        if (ELSEWHERE.test(query))
          throw new InvalidInput(
            `Only ${repository.name} is searched: leave out repo:, org:, user: and owner:.`,
          )
        const { data } = await client.rest.search.issuesAndPullRequests({
          request: at.request,
          // In parentheses, so that an OR in it is not about the repository.
          q: `(${query}) repo:${repository.name} is:issue${state ? ` is:${state}` : ""}`,
          per_page: PER_PAGE,
        })
        // Whatever the query makes of it: nothing of another repository is shown.
        const here = `/repos/${repository.name}`.toLowerCase()
        const found = data.items.filter(({ repository_url }) => repository_url.toLowerCase().endsWith(here))
        if (found.length === 0) return "No issues found."
        const total = found.length === data.items.length ? data.total_count : found.length
        return [`${plural(total, "result")}:`, ...found.slice(0, limit).map(summary)].join("\n")
      },
    }),
  ]
}

const ELSEWHERE = /(?:^|[\s(\-"])(?:repo|org|user|owner)\s*:/i

/** Comments on an issue or a pull request. */
export async function commentOn({ client, at }: Call, number: number, body: string): Promise<string> {
  if (body.trim() === "") throw new InvalidInput("The comment is empty: say something.")
  const { data } = await client.rest.issues.createComment({ ...at, issue_number: number, body })
  return `Commented on #${number}: ${data.html_url}`
}

/** The lines of the newest comments, oldest of them first. */
export async function newestComments(
  { client, at }: Call,
  { number, comments: total }: { readonly number: number; readonly comments: number },
  count: number,
): Promise<readonly string[]> {
  if (count === 0 || total === 0) return []
  const read = async (page: number) =>
    (await client.rest.issues.listComments({ ...at, issue_number: number, per_page: PER_PAGE, page })).data
  const lastPage = Math.ceil(total / PER_PAGE)
  const last = await read(lastPage)
  const before = last.length < count && lastPage > 1 ? await read(lastPage - 1) : []
  const shown = [...before, ...last].slice(-count)
  return [
    "",
    `The ${shown.length} newest of ${plural(total, "comment")}:`,
    ...shown.flatMap(({ user, created_at, body }) => [
      "",
      `${login(user)} on ${day(created_at)}:`,
      body ?? "",
    ]),
  ]
}
