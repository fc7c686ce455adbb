import { relative } from "node:path"
import { InvalidInput, type Tool } from "@orra/core"
import { filesystemTools } from "@orra/filesystem"
import { DEFAULT_FILE, type LoadedConfig } from "../config/load.ts"
import type { ToolFamily } from "./tools.ts"
import { workFolders } from "./work-folders.ts"

/**
 * The file tools as the configuration has them. Everybody has a folder of their own, the one `exec` works in; the
 * owner's can be another one. What Herald keeps and what it is told by is in nobody's reach: an assistant that can
 * write its own rules has none.
 *
 * @throws InvalidInput for a folder that is in the data directory, or is it.
 */
export function heraldFiles(loaded: Pick<LoadedConfig, "config" | "dataDir" | "file">): ToolFamily {
  const { config, dataDir, file } = loaded
  const { tools } = config
  const own = tools.filesystem_base_dir
  if (own !== undefined && !relative(dataDir, own).startsWith(".."))
    throw new InvalidInput(
      `tools.filesystem_base_dir is "${own}", in the data directory: give another folder.`,
    )
  const folderOf = workFolders(loaded, own, { mayHoldData: true })
  const all = filesystemTools({
    root: folderOf,
    maxReadSize: tools.filesystem_max_read_size,
    maxWriteSize: tools.filesystem_max_write_size,
    // Last, so that nothing takes them back.
    protectedPaths: [...tools.filesystem_protected_paths, DEFAULT_FILE, ...(file ? [file] : []), dataDir],
  })
  const writing = tools.filesystem_write
  const writers = all.filter(({ risk }) => risk === "write")
  const readers = all.filter((tool) => !writers.includes(tool))
  return {
    tools: writing === "deny" ? readers : all,
    policy: {
      allow: [...readers, ...(writing === "allow" ? writers : [])].map(nameOf),
      ask: writing === "ask" ? writers.map(nameOf) : [],
    },
    remarks: [
      `files: ${own === undefined ? "everybody has" : `the owner's are in ${own}, others have`} a folder below ${dataDir}/work`,
      ...(writing === "ask" ? ["files: writing needs somebody who agrees"] : []),
    ],
  }
}

const nameOf = ({ definition }: Tool): string => definition.name
