/** Said with every answer: nothing from elsewhere is loaded, framed, or told where it came from. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

const WITH_MICROPHONE = "camera=(), microphone=(self), geolocation=(), payment=(), usb=()"

/** A document in an origin of its own, which is nobody's here: `sandbox` without `allow-same-origin`. */
const isSandboxed = (policy: string | null): policy is string =>
  policy !== null && /^sandbox\b/.test(policy) && !policy.includes("allow-same-origin")

/**
 * The answer with the headers that every answer has; what says nothing of caching is not kept by anybody. A document that
 * sandboxes itself keeps rules of its own, and a page of this origin may show it.
 */
export function secured(response: Response, { microphone = false } = {}): Response {
  // A new one, because the headers of a response from elsewhere (`fetch`, `Response.error`) cannot be changed.
  const answer = new Response(response.body, response)
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) answer.headers.set(name, value)
  const own = response.headers.get("content-security-policy")
  if (isSandboxed(own)) {
    answer.headers.set("content-security-policy", own)
    answer.headers.set("x-frame-options", "SAMEORIGIN")
  }
  if (microphone) answer.headers.set("permissions-policy", WITH_MICROPHONE)
  if (!answer.headers.has("cache-control")) answer.headers.set("cache-control", "no-store")
  return answer
}
