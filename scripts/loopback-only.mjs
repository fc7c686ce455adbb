// Promises: while a test runs, neither it nor a Node process it starts reaches a host other than this machine.
// A connection elsewhere fails with code ERR_NOT_LOOPBACK and says who was called; so does a look-up of a
// name. Sockets by path, loopback addresses and localhost are as always, and a `lookup` of the caller's own
// may map any name to loopback.

import dgram from "node:dgram"
import dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"
import net from "node:net"
import process from "node:process"

const active = Symbol.for("orra.loopback-only")

const local = new net.BlockList()
local.addSubnet("127.0.0.0", 8)
local.addAddress("0.0.0.0")
local.addAddress("::", "ipv6")
local.addAddress("::1", "ipv6")

if (!globalThis[active]) {
  globalThis[active] = true
  guardSockets()
  guardDatagrams()
  guardNames()
  guardChildren()
  syncBuiltinESMExports()
}

function guardSockets() {
  const { connect } = net.Socket.prototype
  net.Socket.prototype.connect = function (...args) {
    const [options, done] = connectionOptions(args)
    const { path, host = "localhost", port, lookup } = options
    if (path || isLocal(host)) return connect.apply(this, args)
    const mapped = lookup !== undefined && net.isIP(host) === 0
    const guarded = mapped ? checked(lookup) : (_name, _options, answer) => answer(refusal(`${host}:${port}`))
    // A refusal is a look-up that fails, so that callers see it the way they see every failed connection.
    return connect.call(this, { ...options, host: mapped ? host : "refused.invalid", lookup: guarded }, done)
  }
}

/** `connect` takes options, a port and host, or a path, then a callback; from within Node, all in an array. */
function connectionOptions(args) {
  const [first, ...rest] = Array.isArray(args[0]) ? args[0] : args
  const done = rest.findLast((arg) => typeof arg === "function")
  if (typeof first === "object" && first !== null) return [first, done]
  if (typeof first === "string" && Number.isNaN(Number(first))) return [{ path: first }, done]
  return [{ port: first, host: typeof rest[0] === "string" ? rest[0] : undefined }, done]
}

function checked(lookup) {
  return (name, options, done) =>
    lookup(name, options, (error, found, family) => {
      const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found]
      const foreign = error ? undefined : addresses.find((address) => !isLocal(address))
      if (foreign === undefined) done(error, found, family)
      else done(refusal(`${name} (${foreign})`))
    })
}

function guardDatagrams() {
  const { send } = dgram.Socket.prototype
  dgram.Socket.prototype.send = function (...args) {
    const address = args.findLast((arg) => typeof arg === "string")
    if (args.length < 3 || address === undefined || isLocal(address)) return send.apply(this, args)
    throw refusal(address)
  }
}

function guardNames() {
  for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveTxt", "resolveMx", "resolveSrv"]) {
    const resolve = dns[name]
    dns[name] = (host, ...rest) => {
      if (isLocal(host) || net.isIP(host) !== 0) return resolve(host, ...rest)
      const done = rest.at(-1)
      queueMicrotask(() => done(refusal(host)))
    }
    const resolveLater = dns.promises[name]
    dns.promises[name] = async (host, ...rest) => {
      if (isLocal(host) || net.isIP(host) !== 0) return resolveLater(host, ...rest)
      throw refusal(host)
    }
  }
}

function guardChildren() {
  const options = process.env.NODE_OPTIONS ?? ""
  const own = `--import=${import.meta.url}`
  if (!options.includes(own)) process.env.NODE_OPTIONS = `${options} ${own}`.trim()
}

function isLocal(host) {
  if (host === "localhost" || host.endsWith(".localhost")) return true
  const family = net.isIP(host)
  return family !== 0 && local.check(host, family === 6 ? "ipv6" : "ipv4")
}

function refusal(target) {
  const error = new Error(
    `A test tried to reach ${target}. Tests may only reach this machine: serve it on 127.0.0.1.`,
  )
  return Object.assign(error, { code: "ERR_NOT_LOOPBACK", target })
}
