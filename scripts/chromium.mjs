// Promises: the path of a Chromium for the browser tests. CHROMIUM_PATH wins, then what is installed; on
// Debian and its relatives, as root, the distribution's own is installed through apt-get. Nothing is
// downloaded from elsewhere.
//
// Run directly it prints the path.

import { accessSync, constants } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { child } from "./child.mjs"
import { Failure, fail } from "./failure.mjs"

const usual = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
]

export async function chromium() {
  const { CHROMIUM_PATH: chosen } = process.env
  if (chosen !== undefined) {
    if (isExecutable(chosen)) return chosen
    throw new Failure(`CHROMIUM_PATH is ${chosen}, which is not an executable file`)
  }
  const found = usual.find(isExecutable)
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !isExecutable("/usr/bin/apt-get")) throw new Failure(missing)
  await aptInstall()
  return usual[0]
}

const missing =
  "the browser tests need Chromium; install it (Debian: `apt-get install chromium`) or set CHROMIUM_PATH"

async function aptInstall() {
  console.error("orra: installing chromium through apt-get (first run only)")
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const apt = (...args) => child("apt-get", ["-qq", ...args], { capture: true, env })
  const install = () => apt("install", "--yes", "--no-install-recommends", "chromium")
  if ((await install()).code === 0) return
  await apt("update")
  const { code, output } = await install()
  if (code !== 0) throw new Failure(`${missing}; apt-get said: ${output.trim().split("\n").at(-1)}`)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await chromium().then(console.log, fail)
}
