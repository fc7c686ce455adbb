import { type Tool, tool } from "@orra/core"
import { type Board, columns } from "./board.ts"

const text = { type: "string" } as const
const column = { type: "string", enum: [...columns] } as const

/**
 * What the model can do with the board. `risk` says what a call does to the world: policy can name it, so that "only
 * read" needs no list of tools that somebody has to keep.
 */
export const boardTools = (board: Board): readonly Tool[] => [
  tool({
    name: "list_columns",
    description: "Lists the columns of the board and how many tasks are in each.",
    input: { type: "object" },
    risk: "read",
    execute: () => columns.map((name) => ({ name, tasks: board.tasks(name).length })),
  }),
  tool<{ column?: string }>({
    name: "list_tasks",
    description: "Lists the tasks on the board, or those of one column.",
    input: { type: "object", properties: { column } },
    risk: "read",
    execute: ({ column }) => board.tasks(column).map((task) => ({ ...task })),
  }),
  tool<{ title: string; column?: string; assignee?: string }>({
    name: "create_task",
    description: "Creates a task, in the backlog unless told otherwise.",
    input: { type: "object", properties: { title: text, column, assignee: text }, required: ["title"] },
    risk: "write",
    execute: ({ title, column, assignee }) => ({ ...board.create(title, column, assignee) }),
  }),
  tool<{ task_id?: number; task_title?: string; to: string }>({
    name: "move_task",
    description: "Moves a task to another column. Name it by its id, or by its title.",
    input: {
      type: "object",
      properties: { task_id: { type: "integer" }, task_title: text, to: column },
      required: ["to"],
    },
    risk: "write",
    execute: ({ task_id, task_title, to }) => ({ ...board.move(task_id ?? task_title ?? "", to) }),
  }),
  tool<{ task_id: number; assignee: string }>({
    name: "assign_task",
    description: "Gives a task to somebody.",
    input: {
      type: "object",
      properties: { task_id: { type: "integer" }, assignee: text },
      required: ["task_id", "assignee"],
    },
    risk: "write",
    execute: ({ task_id, assignee }) => ({ ...board.assign(task_id, assignee) }),
  }),
]
