import { useQueryClient } from "@tanstack/react-query"
import { lazy, type ReactElement, useEffect, useMemo, useRef, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { api } from "../api/api.ts"
import type { Me } from "../api/types.ts"
import { markdownOf } from "../chat/answer.tsx"
import { ChatPage } from "../chat/chat-page.tsx"
import { ConnectionBanner } from "../connection/banner.tsx"
import { Connection } from "../connection/socket.ts"
import { t } from "../i18n/index.ts"
import { Sidebar } from "../sessions/sidebar.tsx"
import { useSessionChanges } from "../sessions/use-sessions.ts"
import { Lazily } from "../ui/boundary.tsx"
import { copyText } from "../ui/copy-button.tsx"
import { Modal } from "../ui/modal.tsx"
import { toast } from "../ui/toast.tsx"
import { Chats, SharedProvider } from "./context.ts"
import { Header } from "./header.tsx"
import { navigate, TEMPORARY, usePlace } from "./router.ts"
import { Screen } from "./screen.tsx"
import { useShortcuts } from "./shortcuts.ts"
import { ShortcutsDialog } from "./shortcuts-dialog.tsx"
import { useNarrow } from "./use-narrow.ts"

const Beside = lazy(() => import("../artifacts/beside.tsx"))
const Palette = lazy(() => import("../palette/palette.tsx"))

const socketUrl = (): string => `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`

/** The page of somebody who is logged in. */
export function Home({ me, assistant }: { readonly me: Me; readonly assistant: string }): ReactElement {
  const { default: standard } = useAgents()
  const base = useMemo(() => {
    // A refused socket looks like a lost one: asking who is logged in tells them apart.
    const connection = new Connection(socketUrl(), () => void api.me().catch(() => undefined))
    return { me, connection, chats: new Chats(connection) }
  }, [me])
  const { connection } = base
  const shared = useMemo(() => ({ ...base, assistant: standard || assistant }), [base, standard, assistant])
  useEffect(() => {
    // What runs without the page has to know it too. Until it is told, the day is that of the server.
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    api.tellZone(timeZone, navigator.language).catch(() => undefined)
  }, [])
  useEffect(() => {
    connection.start()
    return () => connection.stop()
  }, [connection])
  return (
    <SharedProvider value={shared}>
      <Layout {...shared} />
    </SharedProvider>
  )
}

function Layout({ me, chats }: { readonly me: Me; readonly chats: Chats }): ReactElement {
  useSessionChanges()
  const place = usePlace()
  const client = useQueryClient()
  const isNarrow = useNarrow()
  const [isSidebarOpen, setSidebarOpen] = useState(true)
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const [isHelpOpen, setHelpOpen] = useState(false)
  const main = useRef<HTMLElement>(null)
  const typed = useRef("")
  const [isPaletteOpen, setPaletteOpen] = useState(false)
  /** The chat that is searched. */
  const [finding, setFinding] = useState<string>()
  // A chat has its name before its first message, so that nothing moves when that is sent.
  const [fresh, setFresh] = useState(newId)
  const isNew = place.type !== "chat"
  const below = place.type === "new" && place.isTemporary ? `${me.namespace}${TEMPORARY}` : `${me.namespace}:`
  const namespace = place.type === "chat" ? place.namespace : `${below}${fresh}`
  useEffect(() => {
    if (place.type === "chat" && place.namespace.endsWith(fresh)) setFresh(newId())
  }, [place, fresh])

  const showHelp = (): void => {
    setDrawerOpen(false)
    setHelpOpen(true)
  }
  const lastAnswer = (): string => {
    const { items } = chats.get(namespace, isNew).state().view
    const last = items.findLast((item) => item.type === "answer")
    return last?.type === "answer" ? markdownOf(last) : ""
  }
  const onProvider = me.permissions.includes("owner")
    ? () => navigate({ type: "screen", screen: "settings", part: "model" })
    : undefined
  const search = (text: string): void => {
    setDrawerOpen(false)
    typed.current = text
    setPaletteOpen(true)
  }
  const hasSidebar = isSidebarOpen && !isNarrow
  const chat = place.type === "chat" ? place : undefined
  const showSidebar = (): void => (isNarrow ? setDrawerOpen(true) : setSidebarOpen(true))
  useShortcuts({
    newChat: () => navigate({ type: "new" }),
    search: () => search(""),
    find: () => {
      // Asked a second time, the browser looks through the page as it is.
      if (place.type !== "chat" || document.querySelector("dialog[open], .find-bar :focus")) return false
      setFinding(namespace)
      return true
    },
    settings: () => navigate({ type: "screen", screen: "settings", part: undefined }),
    focus: () => document.getElementById("message")?.focus(),
    sidebar: () => (isNarrow ? setDrawerOpen(!isDrawerOpen) : setSidebarOpen(!isSidebarOpen)),
    help: showHelp,
    copyAnswer: () => copy(lastAnswer()),
    copyCode: () => copy([...lastAnswer().matchAll(FENCED)].at(-1)?.[2] ?? ""),
  })
  const sidebar = (
    <Sidebar
      current={isNew ? undefined : namespace}
      onHide={() => (isNarrow ? setDrawerOpen(false) : setSidebarOpen(false))}
      onChoose={() => setDrawerOpen(false)}
      onShortcuts={showHelp}
    />
  )
  return (
    <div className={hasSidebar ? "layout" : "layout alone"}>
      <button
        type="button"
        className="skip"
        onClick={() => (document.getElementById("message") ?? main.current)?.focus()}
      >
        {place.type === "screen" ? t.skipToContent : t.skipToMessage}
      </button>
      {isNarrow
        ? isDrawerOpen && (
            <Modal className="drawer" aria-label={t.sessions.label} onDismiss={() => setDrawerOpen(false)}>
              {sidebar}
            </Modal>
          )
        : isSidebarOpen && sidebar}
      <main ref={main} className="main" tabIndex={-1}>
        {place.type === "screen" ? (
          <>
            <ConnectionBanner />
            <Screen name={place.screen} part={place.part} hasSidebar={hasSidebar} onSidebar={showSidebar} />
          </>
        ) : (
          <>
            <Header
              namespace={namespace}
              isNew={isNew}
              hasSidebar={hasSidebar}
              onSidebar={showSidebar}
              onRenamed={() => void client.invalidateQueries({ queryKey: ["sessions"] })}
            />
            <ConnectionBanner />
            <ChatPage
              key={namespace}
              namespace={namespace}
              isNew={isNew}
              folderId={place.type === "new" ? place.folder : undefined}
              target={chat?.seq !== undefined && chat.block === undefined ? chat : undefined}
              isFinding={finding === namespace}
              onFindEnd={() => setFinding(undefined)}
              onProvider={onProvider}
              onSearch={search}
              onShortcuts={showHelp}
            />
          </>
        )}
      </main>
      {chat?.seq !== undefined && chat.block !== undefined && (
        <Lazily>
          <Beside key={namespace} namespace={namespace} seq={chat.seq} block={chat.block} />
        </Lazily>
      )}
      {isPaletteOpen && (
        <Lazily
          without={null}
          // What is typed while it is loaded is not lost.
          fallback={
            <Modal className="dialog" aria-label={t.shortcuts.search} onDismiss={() => setPaletteOpen(false)}>
              <input
                className="off-screen"
                aria-label={t.shortcuts.search}
                onChange={(event) => {
                  typed.current = event.target.value
                }}
              />
            </Modal>
          }
        >
          <Palette typed={typed} onClose={() => setPaletteOpen(false)} onShortcuts={showHelp} />
        </Lazily>
      )}
      <ShortcutsDialog isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  )
}

/** A block of code in Markdown: its fence, and what is inside. */
const FENCED = /^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^\1/gm

function copy(text: string): void {
  if (text !== "") void copyText(text).then(() => toast(t.copied))
}

const newId = (): string => crypto.randomUUID()
