import { OrraError } from "@orra/core"

/** Why the server cannot listen, in words that say what to do. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const { code } = error
  if (code === "EADDRINUSE") {
    return new OrraError(
      "port_in_use",
      `Port ${port} is in use: stop the other program, or choose another port.`,
      { port },
      error,
    )
  }
  if (code === "EACCES") {
    return new OrraError(
      "port_not_allowed",
      `Port ${port} needs rights you do not have: choose one above 1023.`,
      { port },
      error,
    )
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new OrraError("host_unknown", `"${host}" is not an address of this machine.`, { host }, error)
  }
  return error
}
