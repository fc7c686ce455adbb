import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./app/app.tsx"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/button.css"
import "./styles/controls.css"
import "./styles/layers.css"
import "./styles/layout.css"
import "./styles/screen.css"
import "./styles/sidebar.css"
import "./styles/transcript.css"
import "./styles/tools.css"
import "./styles/markdown.css"
import "./styles/composer.css"

const root = document.getElementById("root")
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
