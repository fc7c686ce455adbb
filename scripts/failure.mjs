// Promises: what goes wrong outside our own code (no registry, full disk, no npm) reaches the person as one
// line that says what happened and what to do.

import { statfsSync } from "node:fs"
import process from "node:process"

/** An error whose message is all the person needs. */
export class Failure extends Error {}

/** Prints a `Failure` as one line, anything else in full, and ends the process with 1. */
export function fail(error) {
  const known = /^(ENOSPC|EDQUOT|EACCES|EROFS|EPERM)$/.test(error.code)
  const failure = known ? installFailure("Herald", error.message, process.cwd()) : error
  console.error(failure instanceof Failure ? `orra: ${failure.message}` : failure)
  process.exit(1)
}

/** The one line for an install that failed, from what npm or pnpm printed. */
export function installFailure(what, output, folder) {
  return new Failure(advice(what, output, folder))
}

/** The one line for an install that claimed success and left something that does not run. */
export function incomplete(what, folder) {
  return new Failure(
    `${what} arrived incomplete; ${freeSpace(folder)}make sure that 1.5 GB are free and run again`,
  )
}

const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|SELF_SIGNED\w*|CERT_\w+|UNABLE_TO_\w+|ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_FETCH_5\d\d|E5\d\d/

function advice(what, output, folder) {
  if (/ENOSPC|EDQUOT|no space left/i.test(output)) {
    return `the disk is full while installing ${what}; ${freeSpace(folder)}free 1.5 GB and run again`
  }
  if (/EACCES|EROFS|EPERM/.test(output)) {
    return `cannot write while installing ${what}; check who owns ${folder} and run again`
  }
  if (/\bE404\b|FETCH_404/.test(output)) {
    return `the npm registry does not have ${what}; check \`npm config get registry\``
  }
  if (/\bE40[13]\b|FETCH_40[13]/.test(output)) {
    return `the npm registry refused ${what}; check the registry and its credentials in ~/.npmrc`
  }
  const reason = unreachable.exec(output)?.[0]
  if (reason !== undefined) {
    return `cannot reach the npm registry for ${what} (${reason}); check the network or \`npm config get registry\` and run again`
  }
  if (/OUTDATED_LOCKFILE|FROZEN_LOCKFILE/.test(output)) {
    return "pnpm-lock.yaml does not match the manifests; run `. ./scripts/env.sh && pnpm install` and commit the lockfile"
  }
  return `installing ${what} failed: ${lastLine(output)}`
}

function lastLine(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  return (lines.find((line) => /ERR|error/i.test(line)) ?? lines.at(-1) ?? "no message was given").trim()
}

function freeSpace(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return `${Math.round((bavail * bsize) / 1e6)} MB are left, `
  } catch {
    return ""
  }
}
