import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import type { JsonObject, ToolContext } from "@orra/core"
import { textOf, useTool } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type WebToolsOptions, webTools } from "./index.ts"

/** A web server on the loopback, and the tools that may reach it. */
export async function site(listener: RequestListener, options: WebToolsOptions = {}) {
  const server = createServer(listener)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const tools = webTools({ allow: ["127.0.0.1"], ports: [port], ...options })
  const use = async (name: string, input: JsonObject, more: Partial<ToolContext> = {}): Promise<string> =>
    textOf(await useTool(tools, name, input, more))
  return { url: `http://127.0.0.1:${port}/`, port, tools, use }
}

/** A PDF with these pages, one line each. */
export function pdf(pages: readonly string[], title = "A title"): Buffer {
  const objects: string[] = []
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(" ")
  objects.push("<< /Type /Catalog /Pages 2 0 R >>")
  objects.push(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`)
  objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
  for (const [index, text] of pages.entries()) {
    const content = text === "" ? "" : `BT /F1 12 Tf 72 700 Td (${text}) Tj ET`
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + index * 2} 0 R >>`,
    )
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  }
  objects.push(`<< /Title (${title}) >>`)
  let file = "%PDF-1.4\n"
  const offsets = objects.map((object, index) => {
    const offset = file.length
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  const count = objects.length + 1
  file += `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${file.length}\n%%EOF`
  return Buffer.from(file, "latin1")
}
