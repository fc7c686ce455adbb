import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { ApiFailure } from "./api/http.ts"
import { App } from "./app/app.tsx"
// The colours and buttons of both pages are in one place.
import "../../herald/web/styles/tokens.css"
import "../../herald/web/styles/button.css"
import "./styles/base.css"
import "./styles/controls.css"
import "./styles/frame.css"
import "./styles/run.css"

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      // What the engine refused it refuses again; a connection that broke comes back.
      retry: (count, error) => !(error instanceof ApiFailure) && count < 3,
    },
  },
})

const root = document.getElementById("root")
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  )
}
