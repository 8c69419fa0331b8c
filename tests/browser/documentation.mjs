// The generated documentation in a real browser: every page on a phone and on a desk, by keyboard, for screen readers, and without
// a request to anywhere else. `cargo xtask browser documentation` runs it; arguments: the folder of the site, "whole" or "many",
// and a folder for screenshots.
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { accessible, DESK, end, expect, fault, fits, PHONE, scheme, skips, stopsAreVisible, tab } from "./chromium.mjs";

const [site, kind, screenshots] = process.argv.slice(2);
/** With more pages than this, axe looks at some of each kind; everything else is checked on every page. */
const WHOLE = 80;

// The site as a server would serve it.
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript" };
const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://site").pathname));
  try {
    const content = await readFile(join(site, path));
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const open = (page, path) => page.goto(`${origin}/${path}`, { waitUntil: "load" });

const files = (await readdir(site, { recursive: true })).filter((name) => name.endsWith(".html")).sort();
const some = (folder) => files.filter((name) => name.startsWith(folder)).filter((_, at, all) => at % Math.ceil(all.length / 8) === 0);
const looked = files.length <= WHOLE ? files
  : [...files.filter((name) => !name.includes("/")), ...some("models/"), ...some("contracts/"), ...some("attributes/")];

const pages = await tab(origin);
const known = new Map();
for (const path of files) {
  await open(pages, path);
  known.set(path, await pages.evaluate(() => ({
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href.baseVal === undefined ? link.href
      : new URL(link.href.baseVal, document.baseURI).href),
    ids: [...document.querySelectorAll("[id]")].map((part) => part.id),
    title: document.title,
    headings: document.querySelectorAll("h1").length,
  })));
  await fits(pages, path);
  if (looked.includes(path)) await accessible(pages, path);
}

/** Every link leads to a page and a place that exist, and every page can be reached from the first. */
const reached = new Set(["index.html"]);
for (const path of reached) {
  const { links, headings, title } = known.get(path);
  expect(headings === 1, path, `${headings} main headings`);
  expect(title.trim().length > 3, path, "no title");
  for (const link of links.filter((link) => link.startsWith(origin))) {
    const { pathname, hash } = new URL(link);
    const target = decodeURIComponent(pathname.slice(1));
    if (!known.has(target)) fault(path, `a dead link: ${target}`);
    else {
      const id = decodeURIComponent(hash.slice(1));
      expect(!id || known.get(target).ids.includes(id), path, `a dead link: ${target}#${id}`);
      reached.add(target);
    }
  }
}
for (const path of files) expect(reached.has(path), path, "cannot be reached by links from the first page");
for (const [path, { ids }] of known) expect(new Set(ids).size === ids.length, path, "an id is used twice");

/** The first page is small, and its search's index is not part of it. */
const first = await tab(origin);
let bytes = 0;
const sizes = [];
first.on("response", (response) => sizes.push(response.buffer().then((content) => content.length)));
await open(first, "index.html");
await first.waitForNetworkIdle();
for (const size of sizes) bytes += await size;
expect(bytes < 200_000, "index.html", `the first page has ${bytes} bytes`);

/** The search: by keyboard alone, from anywhere, with an answer at once. */
const search = await tab(origin);
await open(search, "index.html");
const wanted = kind === "many"
  ? { field: "credit_limit", attribute: "optevia_CreditLimit", label: "Agriculture" }
  : { field: "registered_address.town", attribute: "optevia_TownCity", label: "Agriculture" };
let slowest = 0;
for (const [what, text] of Object.entries(wanted)) {
  await open(search, "index.html");
  await search.keyboard.press("/");
  expect(await search.evaluate(() => document.activeElement.id === "search"), "index.html", "`/` does not lead to the search");
  await search.waitForFunction(() => document.querySelector("script[src$='assets/index.js']"));
  await search.keyboard.type(text.slice(0, 4));
  await search.waitForSelector("#search-results a");
  const took = await search.evaluate((rest) => {
    const input = document.getElementById("search");
    const before = performance.now();
    input.value = rest;
    input.dispatchEvent(new Event("input"));
    return performance.now() - before;
  }, text);
  slowest = Math.max(slowest, took);
  const [result] = await search.$$eval("#search-results a", (links) => links.map((link) => ({
    what: link.querySelector(".what").textContent, name: link.querySelector("strong").textContent, href: link.href,
  })));
  expect(result?.name.toLowerCase() === text.toLowerCase(), "index.html", `the search for ${text} finds ${result?.name}`);
  expect(result?.what === { field: "field", attribute: "attribute", label: "option" }[what], "index.html",
    `the search for the ${what} ${text} finds a ${result?.what}`);
  await search.keyboard.press("ArrowDown");
  await Promise.all([search.waitForNavigation(), search.keyboard.press("Enter")]);
  expect(search.url() === result?.href, "index.html", `Enter leads to ${search.url()} and not to ${result?.href}`);
  const isInView = await search.evaluate(() => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.getBoundingClientRect();
    return Boolean(place) && place.top >= -1 && place.top < innerHeight;
  });
  expect(isInView, search.url(), "the place that was searched for is not in view");
}
expect(slowest < 100, "index.html", `a search takes ${slowest.toFixed(0)} ms`);
await open(search, "index.html");
await search.type("#search", "xyzzy-is-nowhere");
await search.waitForFunction(() => document.getElementById("search-status").textContent === "Nothing found.");

/** The tab key reaches everything, in order and visibly; the first stop leads past the navigation. */
const keys = await tab(origin);
for (const path of ["index.html", files.find((name) => name.startsWith("models/"))]) {
  await open(keys, path);
  await stopsAreVisible(keys, path);
}
await open(keys, "index.html");
await skips(keys, "index.html", "content");

/** Each box of the diagram leads to its page, by mouse and by keyboard. */
const boxes = await tab(origin);
await open(boxes, "index.html");
const names = await boxes.$$eval(".diagram a", (links) => links.map((link) => link.querySelector("text").textContent));
expect(names.length > 2, "index.html", `the diagram has ${names.length} links`);
for (const [at, name] of names.entries()) {
  await open(boxes, "index.html");
  const link = (await boxes.$$(".diagram a"))[at];
  const follow = at % 2 === 0 ? link.click() : link.evaluate((part) => part.focus()).then(() => boxes.keyboard.press("Enter"));
  await Promise.all([boxes.waitForNavigation(), follow]);
  const heading = await boxes.$eval("h1", (heading) => heading.textContent);
  expect(heading === name, "index.html", `the box ${name} leads to ${heading}`);
}

/** Without scripts everything but the search is there; from a folder, without a server, the search too. */
const plain = await tab(origin);
await plain.setJavaScriptEnabled(false);
await open(plain, "index.html");
expect(await plain.$eval("h1", (heading) => heading.textContent.length > 3), "index.html", "nothing to read without scripts");
expect(!(await (await plain.$(".search")).isVisible()), "index.html", "a search that cannot work is shown");
const folder = pathToFileURL(resolve(site)).href;
const local = await tab(folder);
await local.goto(`${folder}/index.html`);
await local.type("#search", wanted.attribute);
await local.waitForSelector("#search-results a");

/** Screenshots, for people to look at. */
await mkdir(screenshots, { recursive: true });
const views = ["index.html", files.includes("models/organisations.html") ? "models/organisations.html" : files.find((name) => name.startsWith("models/")),
  files.includes("contracts/account.html") ? "contracts/account.html" : files.find((name) => name.startsWith("contracts/")), "personal.html"];
for (const path of views) {
  for (const [screen, size] of Object.entries({ phone: PHONE, desk: DESK })) {
    for (const value of ["light", "dark"]) {
      await pages.setViewport(size);
      await scheme(pages, value);
      await open(pages, path);
      const name = `${kind}-${path.replaceAll("/", "-").replace(".html", "")}-${screen}-${value}.png`;
      await pages.screenshot({ path: join(screenshots, name) });
    }
  }
}

server.close();
const size = (await stat(join(site, "index.html"))).size;
await end(`${files.length} pages on two screens, ${looked.length} of them by axe in light and dark; the first page has ${bytes} bytes `
  + `(${size} of HTML), a search took ${slowest.toFixed(1)} ms at most`);
