/** A task on the board. */
export interface Task {
  readonly id: number
  readonly title: string
  readonly column: Column
  readonly assignee?: string
}

export const columns = ["backlog", "in-progress", "done"] as const
export type Column = (typeof columns)[number]

/**
 * The team's board: plain data and what can be done with it. It knows nothing of models. What it throws is told to
 * the model, so the messages say what to do.
 */
export class Board {
  readonly #tasks = new Map<number, Task>()
  #lastId = 0

  tasks(column?: string): readonly Task[] {
    const all = [...this.#tasks.values()]
    return column === undefined ? all : all.filter((task) => task.column === columnOf(column))
  }

  create(title: string, column: string = "backlog", assignee?: string): Task {
    return this.#save({ id: ++this.#lastId, title, column: columnOf(column), ...(assignee && { assignee }) })
  }

  move(which: number | string, to: string): Task {
    return this.#save({ ...this.#find(which), column: columnOf(to) })
  }

  assign(which: number | string, assignee: string): Task {
    return this.#save({ ...this.#find(which), assignee })
  }

  /** The board as people read it. */
  toString(): string {
    const list = (column: Column): string =>
      this.tasks(column)
        .map(({ id, title, assignee }) => `  #${id} ${title}${assignee ? ` (${assignee})` : ""}`)
        .join("\n") || "  nothing"
    return columns.map((column) => `${column}\n${list(column)}`).join("\n")
  }

  #save(task: Task): Task {
    this.#tasks.set(task.id, task)
    return task
  }

  /** By number, or by title in any case. */
  #find(which: number | string): Task {
    if (typeof which === "number") {
      const task = this.#tasks.get(which)
      if (!task) throw new Error(`There is no task #${which}. Call list_tasks to see what there is.`)
      return task
    }
    const [task, second] = this.tasks().filter(({ title }) => title.toLowerCase() === which.toLowerCase())
    if (!task) throw new Error(`No task is called "${which}". Call list_tasks to see what there is.`)
    if (second) throw new Error(`Several tasks are called "${which}": name one by its id.`)
    return task
  }
}

function columnOf(name: string): Column {
  const column = columns.find((known) => known === name.toLowerCase())
  if (!column) throw new Error(`There is no column "${name}". The columns are ${columns.join(", ")}.`)
  return column
}

/** A board with something on it. */
export function exampleBoard(): Board {
  const board = new Board()
  board.create("Set up CI", "done", "ann")
  board.create("Fix the login page", "in-progress", "bob")
  board.create("Write the release notes")
  return board
}
