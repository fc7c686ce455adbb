import type { ReactElement } from "react"
import type { Json, Task } from "../api/types.ts"
import { intoView } from "../ui/into-view.ts"
import { StatusOfTask, StatusOfUndoing } from "../ui/status.tsx"
import { durationText } from "../ui/words.ts"
import { layout, NODE } from "./layout.ts"

/** The id of what was known before. */
export const GIVEN = "task0"

type Node = { readonly id: string; readonly needs: readonly string[]; readonly task: Task | undefined }

/** The plan, from what was given to what comes of it. */
export function Graph({
  tasks,
  given,
  chosen,
  onChoose,
}: {
  readonly tasks: readonly Task[]
  readonly given: Json
  readonly chosen: string
  readonly onChoose: (id: string) => void
}): ReactElement {
  const nodes: readonly Node[] = [
    { id: GIVEN, needs: [], task: undefined },
    ...tasks.map((task) => ({ id: task.id, needs: task.needs.length > 0 ? task.needs : [GIVEN], task })),
  ]
  const { width, height, nodes: placed, edges } = layout(nodes)
  return (
    <section className="graph" aria-label="Graph of the plan">
      <div className="graph-field" style={{ width, height }}>
        <svg className="graph-lines" width={width} height={height} aria-hidden="true">
          {edges.map(({ from, to }) => {
            const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2]
            const [x2, y2] = [to.x, to.y + NODE.height / 2]
            const middle = (x1 + x2) / 2
            return (
              <path
                key={`${from.node.id} ${to.node.id}`}
                data-done={from.node.task === undefined || from.node.task.status === "completed"}
                d={`M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}
              />
            )
          })}
        </svg>
        {placed.map(({ node, x, y }) => (
          <button
            key={node.id}
            type="button"
            className="node"
            data-status={node.task?.status ?? "given"}
            aria-pressed={node.id === chosen}
            // Of a wide plan on a small screen, what is told of below is what is seen.
            ref={node.id === chosen ? intoView : null}
            style={{ left: x, top: y, width: NODE.width, height: NODE.height }}
            onClick={() => onChoose(node.id)}
          >
            {node.task ? <TaskNode task={node.task} /> : <GivenNode given={given} />}
          </button>
        ))}
      </div>
    </section>
  )
}

const TaskNode = ({ task }: { readonly task: Task }): ReactElement => (
  <>
    <span className="node-name">{task.serviceName || task.serviceId}</span>
    <span className="node-facts">
      {task.compensation ? (
        <StatusOfUndoing of={task.compensation.status} />
      ) : (
        <StatusOfTask of={task.status} />
      )}
      <span className="muted">{task.statusHistory.length > 1 ? durationText(task.duration) : task.id}</span>
    </span>
  </>
)

const GivenNode = ({ given }: { readonly given: Json }): ReactElement => (
  <>
    <span className="node-name">Request</span>
    <span className="node-facts muted">{Object.keys(given ?? {}).join(", ") || "no data"}</span>
  </>
)
