import { lazy, type ReactElement } from "react"
import { type Meant, OpenContext, useOpen } from "../artifacts/open.ts"
import { OpenFile } from "../artifacts/open-file.tsx"
import { WRITES } from "../artifacts/written.ts"
import { Markdown } from "../markdown/markdown.tsx"
import { isSteps, stepsOf } from "../todo/steps.ts"
import { Lazily } from "../ui/boundary.tsx"
import type { AnswerProps } from "./answer.tsx"
import { CallGroup } from "./call-group.tsx"
import { DRAWN, groupCalls, HANDED_ON, type Piece } from "./call-groups.ts"
import { ASKS } from "./open-question.ts"
import { Thinking } from "./thinking.tsx"
import { ToolCard } from "./tool-card.tsx"

const Delegation = lazy(() => import("../agents/delegation.tsx"))
const Picture = lazy(() => import("../files/picture.tsx"))
const QuestionCard = lazy(() => import("../questions/question-card.tsx"))
const StepsCard = lazy(() => import("../todo/steps-card.tsx"))

type PartsProps = Pick<AnswerProps, "answer" | "store" | "steps" | "isLive" | "progress">

/** What an answer is made of, in the order it came. */
export function AnswerParts(props: PartsProps): ReactElement {
  const open = useOpen(props.answer, props.store.namespace)
  const show = (piece: Piece): ReactElement => (
    <Part key={keyOf(piece, props.steps)} {...props} piece={piece} onOpen={open} />
  )
  return (
    <>
      {groupCalls(props.answer, props.steps).map((shown) =>
        shown.type === "piece" ? (
          show(shown)
        ) : (
          <CallGroup key={`group ${shown.calls[0]?.id}`} calls={shown.calls} store={props.store}>
            {() => shown.pieces.map(show)}
          </CallGroup>
        ),
      )}
    </>
  )
}

const keyOf = ({ message, index, part }: Piece, steps: string | undefined): string => {
  if (part.type !== "tool_call") return `${message.messageId} ${index}`
  // One card that moves on, whichever call has the list.
  return part.id === steps ? "steps" : `call ${part.id}`
}

function Part({
  piece: { message, index, part },
  answer,
  isLive,
  progress,
  store,
  onOpen,
}: PartsProps & { readonly piece: Piece; readonly onOpen: (meant: Meant) => void }): ReactElement {
  const isGrowing = message.status === "writing" && isLive && index === message.parts.length - 1
  switch (part.type) {
    case "text":
      return (
        <OpenContext value={onOpen}>
          <Markdown text={part.text} isGrowing={isGrowing} />
        </OpenContext>
      )
    case "thinking": {
      const isOnly = message.parts.filter(({ type }) => type === "thinking").length === 1
      return (
        <Thinking
          text={part.text}
          isHidden={part.isHidden}
          isGrowing={isGrowing}
          durationMs={isOnly ? message.thinkingMs : undefined}
        />
      )
    }
    default: {
      const card = {
        part,
        call: answer.calls[part.id],
        progress: progress[part.id],
        namespace: store.namespace,
        agent: answer.agent,
        isOpenRun: isLive,
        onDecide: store.decide,
      }
      const steps = isSteps(part, card.call) && stepsOf(part)
      if (steps) {
        return (
          <Lazily fallback={<ToolCard {...card} />} without={<ToolCard {...card} />}>
            <StepsCard steps={steps} isLive={isLive} />
          </Lazily>
        )
      }
      if (DRAWN.test(part.name)) {
        return (
          <>
            <ToolCard {...card} />
            <Lazily without={null}>
              <Picture namespace={store.namespace} call={card.call} />
            </Lazily>
          </>
        )
      }
      if (WRITES.test(part.name)) {
        return (
          <>
            <ToolCard {...card} />
            <OpenFile part={part} call={card.call} store={store} onOpen={onOpen} />
          </>
        )
      }
      const Card = part.name === ASKS ? QuestionCard : HANDED_ON.test(part.name) ? Delegation : undefined
      if (!Card) return <ToolCard {...card} />
      return (
        <Lazily fallback={<ToolCard {...card} />} without={<ToolCard {...card} />}>
          <Card {...card} runId={answer.runId} />
        </Lazily>
      )
    }
  }
}
