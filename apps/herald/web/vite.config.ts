import react from "@vitejs/plugin-react"
import { defaultClientConditions, defineConfig } from "vite"

/** `HERALD_URL` is the Herald that the development server asks for everything but the page. */
const herald = process.env["HERALD_URL"] ?? "http://127.0.0.1:8080"

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  // Of the workspace's packages the sources, whether they have been built or not.
  resolve: { conditions: ["@orra/source", ...defaultClientConditions] },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    // Small files become data: addresses otherwise, which the page's own rules would refuse.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
  },
  server: { proxy: { "/api": herald, "/ws": { target: herald, ws: true } } },
})
