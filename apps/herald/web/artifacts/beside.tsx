import { type ReactElement, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { closeBeside, openBeside } from "../app/router.ts"
import { useSheet } from "../app/use-narrow.ts"
import { useChat } from "../chat/use-chat.ts"
import { words } from "../i18n/en-artifacts.ts"
import { t } from "../i18n/index.ts"
import { IconButton } from "../ui/button.tsx"
import { Modal } from "../ui/modal.tsx"
import { artifactReader, findVersion, type Version } from "./artifacts.ts"
import { VersionView } from "./version-view.tsx"
import { useWidth } from "./width.tsx"
import "../styles/beside.css"

interface BesideProps {
  readonly namespace: string
  /** The answer, and what of all that it wrote is shown. */
  readonly seq: number
  readonly block: number
}

/** What was opened from a chat: beside it, or over it where there is no room. */
export default function Beside(props: BesideProps): ReactElement {
  const isSheet = useSheet()
  const close = (): void => closeBeside(props.namespace)
  if (!isSheet) return <Panel {...props} onClose={close} />
  return (
    <Modal className="beside sheet" aria-label={words.label} onDismiss={close}>
      <Opened {...props} tools={<Close onClose={close} />} />
    </Modal>
  )
}

const Close = ({ onClose }: { readonly onClose: () => void }): ReactElement => (
  <IconButton icon="close" size={18} label={t.close} onClick={onClose} />
)

function Panel({ onClose, ...props }: BesideProps & { readonly onClose: () => void }): ReactElement {
  const panel = useRef<HTMLElement>(null)
  const { style, separator } = useWidth()
  const [isFull, setFull] = useState(false)
  const opener = useRef<Element>(null)
  useLayoutEffect(() => {
    const { activeElement } = document
    if (!panel.current?.contains(activeElement)) opener.current = activeElement
  }, [props.seq, props.block])
  useLayoutEffect(() => {
    const element = panel.current
    return () => {
      if (!element?.contains(document.activeElement)) return
      const { current } = opener
      // A row that was scrolled away is no more.
      const isThere = current instanceof HTMLElement && current.isConnected && current !== document.body
      const target = isThere ? current : document.getElementById("message")
      target?.focus()
    }
  }, [])
  useEffect(() => {
    const onFull = (): void => setFull(document.fullscreenElement === panel.current)
    document.addEventListener("fullscreenchange", onFull)
    return () => document.removeEventListener("fullscreenchange", onFull)
  }, [])
  const toggleFull = (): void =>
    void (isFull ? document.exitFullscreen() : panel.current?.requestFullscreen())
  return (
    <aside
      ref={panel}
      className="beside"
      style={style}
      aria-label={words.label}
      onKeyDown={(event) => {
        // Outside of it Escape is the answer's.
        if (event.key !== "Escape" || event.defaultPrevented) return
        event.stopPropagation()
        onClose()
      }}
    >
      {separator}
      <Opened
        {...props}
        tools={
          <>
            {document.fullscreenEnabled && (
              <IconButton
                icon={isFull ? "smaller" : "larger"}
                size={18}
                label={isFull ? words.leaveFullScreen : words.fullScreen}
                onClick={toggleFull}
              />
            )}
            <Close onClose={onClose} />
          </>
        }
      />
    </aside>
  )
}

function Opened({
  namespace,
  seq,
  block,
  tools,
}: BesideProps & { readonly tools: ReactElement }): ReactElement {
  const [store, { view, status }] = useChat(namespace, false)
  const [read] = useState(artifactReader)
  const artifacts = useMemo(() => read(view.items), [read, view.items])
  // An answer that was followed live may begin a little later when it is read anew.
  const answer = view.items.find((item) => item.type === "answer" && item.seq >= seq)
  const found = answer && findVersion(artifacts, answer.seq, block)
  const [isReached, setReached] = useState(false)
  const isReady = status === "ready"
  useEffect(() => {
    if (isReady) void store.reach(seq).then(() => setReached(true))
  }, [store, isReady, seq])

  const isOwnMove = useRef(false)
  const show = (to: Version | undefined): void => {
    if (!to) return
    isOwnMove.current = true
    openBeside({ namespace, seq: to.seq, block: to.block })
  }
  // Whoever looks at the newest version sees the next one when it comes.
  const version = found?.artifact.versions[found.index]
  const newest = found?.artifact.versions.at(-1)
  const before = useRef(newest)
  useEffect(() => {
    const was = before.current
    before.current = newest
    if (!was || !newest || !version) return
    const isNew = was.seq !== newest.seq || was.block !== newest.block
    if (isNew && version.seq === was.seq && version.block === was.block) show(newest)
  }, [version, newest])

  const heading = useRef<HTMLHeadingElement>(null)
  const isMissing = !found && (isReached || status === "missing" || status === "failed")
  const isThere = found !== undefined || isMissing
  // What moves on by itself, or by a button in the panel, leaves the focus where it is.
  useEffect(() => {
    if (isThere && !isOwnMove.current) heading.current?.focus()
    isOwnMove.current = false
  }, [isThere, seq, block])
  const titled = (title: string): ReactElement => (
    <h2 ref={heading} className="beside-title" tabIndex={-1} title={title}>
      <bdi>{title}</bdi>
    </h2>
  )
  if (found) {
    return (
      <VersionView
        {...found}
        onChoose={(index) => show(found.artifact.versions[index])}
        onOlder={view.hasMore ? () => void store.reach(1) : undefined}
        heading={titled}
        tools={tools}
      />
    )
  }
  return (
    <>
      <header className="beside-head">
        {titled(isMissing ? words.missing : t.loading)}
        {tools}
      </header>
      {isMissing && <p className="beside-note">{words.missingLead}</p>}
    </>
  )
}
