/** An article of several paragraphs, in which every paragraph can be told from the others. */
export const PARAGRAPHS: readonly string[] = [
  "The lighthouse at the end of the north pier was built in three summers, because in winter no boat could bring stone. Its keepers wrote down every ship that passed, with the hour, the wind and the height of the waves, and those books are still read today.",
  "When the lamp was changed from oil to gas, the town argued for a year about the colour of the light. Fishermen wanted white, the harbour master wanted red, and the mayor, who owned neither a boat nor a harbour, wanted whatever cost less to keep burning.",
  "A storm in the second year tore away the outer stairs. For eleven days the keeper lived on dried fish and rain water, and he noted in his book that he had seldom slept so well, since nobody could come and ask him for anything.",
  "Later the light was driven by clockwork, which had to be wound every four hours. The keeper's daughter learned to do it with her eyes closed, and it is said that she went on waking at those hours for the rest of her life, in a house far from the sea.",
  "Today a small computer does all of that, and counts the birds besides. The old books were photographed page by page, so that those who study the weather of that coast have a hundred and forty years of it, written by hand, in ink that has hardly faded.",
]
export const TITLE = "The light on the north pier"

const body = PARAGRAPHS.map((text) => `<p>${text}</p>`).join("\n")
const divs = PARAGRAPHS.map((text) => `<div class="css-1x2y3z">${text}</div>`).join("\n")
const links = (...texts: readonly string[]) =>
  `<ul>${texts.map((text, index) => `<li><a href="/l${index}">${text}</a></li>`).join("")}</ul>`

/** A page with that article in it, and what stands around it: none of `furniture` belongs to the article. */
export interface Layout {
  readonly name: string
  readonly html: string
  readonly furniture: readonly string[]
}

const page = (name: string, html: string, ...furniture: readonly string[]): Layout => ({
  name,
  html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${TITLE} | Example</title></head><body>${html}</body></html>`,
  furniture,
})

/** How real pages are built: what is around an article, and how its own parts are named or not named. */
export const LAYOUTS: readonly Layout[] = [
  page(
    "a blog with a sidebar and comments",
    `<header id="masthead">${links("Home page", "About the author")}</header>
     <div id="content"><article class="post hentry"><h1 class="entry-title">${TITLE}</h1><div class="entry-content">${body}</div></article>
     <div id="comments" class="comments-area"><h2>3 responses</h2><ol class="comment-list"><li class="comment">First comment of a reader</li><li class="comment">Second one disagrees</li></ol></div></div>
     <aside id="secondary" class="widget-area"><section class="widget">Archives by month${links("May", "June")}</section></aside>
     <footer>Proudly made with a machine</footer>`,
    "About the author",
    "First comment of a reader",
    "Archives by month",
    "Proudly made",
  ),
  page(
    "a newspaper with advertisements between the paragraphs",
    `<nav class="top-nav">${links("Politics", "Sport of today")}</nav><main><article><h1>${TITLE}</h1><p class="byline">By Ann Example</p>
     ${PARAGRAPHS.map((text, index) => `<p>${text}</p>${index === 1 ? `<div class="ad-slot advertisement">Buy this car now</div>` : ""}`).join("")}</article>
     <section class="related-articles"><h3>Read next</h3>${links("Ten ways to sleep", "What cats know")}</section></main>
     <div class="newsletter-signup">Sign up for our letter</div><footer class="footer">Terms of use of the paper</footer>`,
    "Sport of today",
    "Buy this car now",
    "What cats know",
    "Sign up for our letter",
    "Terms of use",
  ),
  page(
    "a page of tables, as they were built once",
    `<table width="100%"><tr><td colspan="2"><a href="/">Old home</a> | <a href="/g">Guest book here</a></td></tr>
     <tr><td width="150">${links("Links I like", "Web ring")}</td><td><h2>${TITLE}</h2>${body}</td></tr>
     <tr><td colspan="2">You are visitor number 4711</td></tr></table>`,
    "Guest book here",
    "Web ring",
    "visitor number",
  ),
  page(
    "divisions with names that a machine made",
    `<div id="__next"><div class="sc-a1"><div class="sc-b2">${links("Log in", "Get the app today")}</div><div class="sc-c3"><h1 class="sc-d4">${TITLE}</h1>${body}</div><div class="sc-e5">${links("Terms", "Careers with us")}</div></div></div>`,
    "Get the app today",
    "Careers with us",
  ),
  page(
    "documentation with a tree of pages and one of headings",
    `<div class="navbar">${links("Docs", "Changelog of all")}</div><div class="sidebar menu">${links("Install it", "Configure it well", "Deploy it")}</div>
     <main class="main"><article class="markdown"><h1>${TITLE}</h1>${body}<pre><code>light --on</code></pre></article></main>
     <div class="table-of-contents toc">${links("First heading here", "Second heading here")}</div><footer class="footer">Built by the docs team</footer>`,
    "Changelog of all",
    "Configure it well",
    "Second heading here",
    "Built by the docs team",
  ),
  page(
    "an encyclopedia with notes and languages",
    `<div id="mw-navigation" role="navigation">${links("Main page of it", "Random entry")}</div>
     <div id="content" class="mw-body" role="main"><h1 id="firstHeading">${TITLE}</h1><div id="mw-content-text"><div class="mw-parser-output">${body}</div></div></div>
     <div id="p-lang" role="navigation">${links("Deutsch lesen", "Lire en français")}</div><div id="footer" role="contentinfo">Text is available under a licence</div>`,
    "Random entry",
    "Deutsch lesen",
    "available under a licence",
  ),
  page(
    "a page that asks about cookies first",
    `<div id="cookie-banner" class="cookie-consent" role="dialog"><p>We value your privacy and 812 partners</p><button>Accept all of it</button></div>
     <div class="page"><div class="story"><h1>${TITLE}</h1>${body}</div></div><div class="share-bar social">Share it everywhere</div>`,
    "812 partners",
    "Accept all of it",
    "Share it everywhere",
  ),
  page(
    "a magazine with a pulled quote, pictures and a box of authors",
    `<header class="site-header">${links("Issues so far", "Subscribe for more")}</header><article itemscope itemtype="https://schema.org/Article"><h1 itemprop="headline">${TITLE}</h1>
     <figure><img src="/a.jpg" alt="The pier in winter"><figcaption>The pier in winter</figcaption></figure><div itemprop="articleBody">${body}</div></article>
     <div class="promo-box">A year for half the price</div><footer class="colophon">Printed by nobody</footer>`,
    "Subscribe for more",
    "half the price",
    "Printed by nobody",
  ),
  page(
    "text in divisions instead of paragraphs",
    `<div class="menu">${links("Start over", "Contact form")}</div><div class="text"><h1>${TITLE}</h1>${divs}</div><div class="foot">${links("Imprint of the site", "Privacy")}</div>`,
    "Contact form",
    "Imprint of the site",
  ),
  page(
    "a mailing letter kept on the web",
    `<table class="preheader"><tr><td><a href="/v">View this in a browser</a></td></tr></table><table><tr><td><table><tr><td><h1>${TITLE}</h1>${body}</td></tr></table></td></tr></table>
     <table class="footer"><tr><td><a href="/u">Unsubscribe from all</a></td></tr></table>`,
    "View this in a browser",
    "Unsubscribe from all",
  ),
  page(
    "a question with answers, of which the page is about the first",
    `<div class="topbar">${links("Ask a question now", "Tags of all")}</div><div id="mainbar"><h1>${TITLE}</h1><div class="post-text js-post-body">${body}</div></div>
     <div id="sidebar"><div class="module">Hot network questions${links("Why is it so", "How did they")}</div></div>`,
    "Ask a question now",
    "Hot network questions",
    "How did they",
  ),
  page(
    "a shop's story, with what it sells around it",
    `<nav>${links("Cart with 0 items", "Lamps on sale")}</nav><section class="hero"><img src="/h.jpg" alt=""></section><main id="main"><div class="rte article-template__content"><h1>${TITLE}</h1>${body}</div></main>
     <section class="product-recommendations"><h2>You may also like</h2><div class="card"><a href="/p1">Brass lamp for 40</a></div><div class="card"><a href="/p2">Paper boat</a></div></section>`,
    "Lamps on sale",
    "Brass lamp for 40",
    "You may also like",
  ),
]
