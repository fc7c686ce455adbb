import { lazy, type ReactElement } from "react"
import { Markdown } from "../markdown/markdown.tsx"
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

type PartsProps = Pick<AnswerProps, "answer" | "store" | "isLive" | "progress">

/** What an answer is made of, in the order it came. */
export function AnswerParts(props: PartsProps): ReactElement {
  const show = (piece: Piece): ReactElement => <Part key={keyOf(piece)} {...props} piece={piece} />
  return (
    <>
      {groupCalls(props.answer).map((shown) =>
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

const keyOf = ({ message, index, part }: Piece): string =>
  part.type === "tool_call" ? `call ${part.id}` : `${message.messageId} ${index}`

function Part({
  piece: { message, index, part },
  answer,
  isLive,
  progress,
  store,
}: PartsProps & { readonly piece: Piece }): ReactElement {
  const isGrowing = message.status === "writing" && isLive && index === message.parts.length - 1
  switch (part.type) {
    case "text":
      return <Markdown text={part.text} isGrowing={isGrowing} />
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
