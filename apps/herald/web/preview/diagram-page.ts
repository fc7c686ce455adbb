const STYLE = `html{color-scheme:%scheme}body{margin:0;padding:14px;background:transparent;font:16px system-ui,sans-serif}
#diagram{display:flex;justify-content:center}svg{max-width:100%;height:auto}`

const page = (isDark: boolean, body: string): string =>
  `<!doctype html><meta charset="utf-8"><style>${STYLE.replace("%scheme", isDark ? "dark" : "light")}</style>${body}`

/** A script inside of a page: nothing in it ends the element that it is in. */
const scriptOf = (code: string): string =>
  `<script>${code.replaceAll(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--")}</script>`

/** A page with a diagram that was drawn before. */
export const drawnPage = (svg: string, isDark: boolean): string =>
  page(isDark, `<div id="diagram">${svg}</div>`)

/** A page that draws a diagram with `mermaid`, and says what came of it. */
export const diagramPage = (source: string, mermaid: string, isDark: boolean): string =>
  page(
    isDark,
    `<div id="diagram"></div>${scriptOf(mermaid)}${scriptOf(`
const place = document.getElementById("diagram")
mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: "${isDark ? "dark" : "neutral"}" })
mermaid.render("drawn", ${JSON.stringify(source)}).then(
  ({ svg }) => {
    place.innerHTML = svg
    parent.postMessage({ type: "drawn", svg, height: document.documentElement.offsetHeight }, "*")
  },
  (error) => parent.postMessage({ type: "failed", message: String(error?.message ?? error) }, "*"),
)`)}`,
  )
