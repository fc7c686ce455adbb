/** Said with every answer: nothing from elsewhere is loaded, framed, or told where it came from. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
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

/** The answer with the headers that every answer has; what says nothing of caching is not kept by anybody. */
export function secured(response: Response, { microphone = false } = {}): Response {
  // A new one, because the headers of a response from elsewhere (`fetch`, `Response.error`) cannot be changed.
  const answer = new Response(response.body, response)
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) answer.headers.set(name, value)
  if (microphone) answer.headers.set("permissions-policy", WITH_MICROPHONE)
  if (!answer.headers.has("cache-control")) answer.headers.set("cache-control", "no-store")
  return answer
}
