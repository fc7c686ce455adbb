// Shows on this device what Herald pushes to it, and opens it. It keeps nothing and answers no request.

addEventListener("install", () => skipWaiting())
addEventListener("activate", (event) => event.waitUntil(clients.claim()))

addEventListener("push", (event) => event.waitUntil(show(event.data.json())))

addEventListener("notificationclick", (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data.url))
})

// The push service has given the browser another address.
addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)))

/** The pages of Herald in this browser, the one that was used last first. */
const pages = () => clients.matchAll({ type: "window", includeUncontrolled: true })

async function show({ title, body, url, tag, waiting, isAlways }) {
  if (waiting !== undefined) navigator.setAppBadge?.(waiting).catch(() => undefined)
  const isSeen = !isAlways && (await pages()).some(({ focused }) => focused)
  const icon = "/icon-192.png"
  await registration.showNotification(title, {
    body,
    tag,
    renotify: true,
    silent: isSeen,
    icon,
    data: { url },
  })
  // Whoever looks at Herald here sees it there. It was shown all the same: browsers take the permission away from those who
  // get pushes and show nothing.
  if (isSeen) await closed(tag)
}

/** Closes what was shown a moment ago, which some systems list a moment later only. */
async function closed(tag) {
  for (let tries = 0; tries < 20; tries++) {
    const shown = await registration.getNotifications({ tag })
    for (const notification of shown) notification.close()
    if (shown.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function open(url) {
  const [page] = await pages()
  if (!page) return await clients.openWindow(url)
  page.postMessage({ type: "open", url })
  await page.focus()
}

async function subscribeAgain({ oldSubscription, newSubscription }) {
  const subscription = newSubscription ?? (await registration.pushManager.subscribe(oldSubscription.options))
  await fetch("/api/push/subscription", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(subscription),
  })
}
