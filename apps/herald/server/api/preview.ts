import type { Route } from "@orra/gateway"

/**
 * What runs in it is strangers': a page that a model wrote. It is in an origin of its own, without cookies and storage, it
 * reaches nothing and nobody, and only this Herald's page may show it.
 */
const RULES = [
  "sandbox allow-scripts",
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  "img-src data: blob:",
  "font-src data:",
  "media-src data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ")

/** It says that it is there, and becomes what it is told, once, by the page that shows it. */
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Preview</title>
<script>
addEventListener("message", function become(event) {
  if (event.source !== parent || typeof event.data?.html !== "string") return
  removeEventListener("message", become)
  document.open()
  document.write(event.data.html)
  document.close()
})
parent.postMessage({ type: "ready" }, "*")
</script>
`

/** Where the page shows what came in an answer as a page or a diagram. Nobody's secret, so it asks for no login. */
export const previewRoute: Route = {
  method: "GET",
  path: "/api/preview",
  permission: "open",
  handle: () =>
    new Response(PAGE, {
      headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": RULES },
    }),
}
