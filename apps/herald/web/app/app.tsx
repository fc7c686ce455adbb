import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query"
import { lazy, type ReactElement, useCallback, useEffect, useState } from "react"
import { api } from "../api/api.ts"
import { ApiError, listenForLogout } from "../api/http.ts"
import type { Me } from "../api/types.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { t } from "../i18n/index.ts"
import { LoginPage } from "../login/login-page.tsx"
import { Boundary, Lazily } from "../ui/boundary.tsx"
import { Toasts } from "../ui/toast.tsx"
import { Tips } from "../ui/tooltip.tsx"
import { Home } from "./home.tsx"
import { usePushes } from "./pushes.ts"
import { navigate, usePlace } from "./router.ts"

const SetupPage = lazy(() => import("../settings/setup-page.tsx"))

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; an unreachable server is asked again.
      retry: (count, error) => error instanceof ApiError && error.code === "offline" && count < 3,
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
})

export const App = (): ReactElement => (
  <QueryClientProvider client={client}>
    <Boundary>
      <Gate />
    </Boundary>
    <Toasts />
    <Tips />
  </QueryClientProvider>
)

/** Nobody sees anything before it is known who they are. */
function Gate(): ReactElement {
  const place = usePlace()
  const [hasLeft, setLeft] = useState(false)
  const me = useQuery({
    queryKey: ["me"],
    queryFn: ({ signal }) => api.me(signal),
    enabled: place.type !== "login",
  })
  useEffect(() => listenForLogout(() => setLeft(true)), [])
  const onLogin = useCallback((who: Me) => {
    client.clear()
    client.setQueryData(["me"], who)
    setLeft(false)
    if (location.pathname === "/login") navigate({ type: "new" }, { replace: true })
  }, [])

  if (place.type === "login") return <LoginPage token={place.token} onLogin={onLogin} />
  if (hasLeft || (me.error instanceof ApiError && me.error.status === 401))
    return <LoginPage token="" onLogin={onLogin} />
  if (me.data) return <Ready me={me.data} />
  if (me.error) {
    return (
      <main className="card-page">
        <ErrorNote code="offline" message={t.login.unreachable} onRetry={() => void me.refetch()} />
      </main>
    )
  }
  return <Waiting />
}

const Waiting = (): ReactElement => <main className="card-page" aria-busy="true" aria-label={t.loading} />

/** The owner connects a model first; whoever cannot goes on without. */
function Ready({ me }: { readonly me: Me }): ReactElement {
  usePushes()
  const isOwner = me.permissions.includes("owner")
  const settings = useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => api.settings(signal),
    enabled: isOwner,
    staleTime: 60_000,
  })
  if (isOwner && settings.isPending) return <Waiting />
  if (settings.data && !settings.data.provider.configured) {
    return (
      <Lazily fallback={<Waiting />}>
        <SetupPage settings={settings.data} />
      </Lazily>
    )
  }
  return <Home me={me} assistant={settings.data?.assistant.name ?? t.appName} />
}
