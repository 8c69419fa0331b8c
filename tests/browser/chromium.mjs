// A headless Chromium, and what holds for every page of ours: nothing on its console, no request to anywhere else, no wider than
// the screen, nothing that axe objects to, and a visible place for each stop of the Tab key.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import puppeteer from "puppeteer-core";

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 900 };

export const browser = await puppeteer.launch({
  executablePath: process.env.DATAHUB_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
});

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const faults = [];
export const fault = (page, text) => faults.push(`${page}: ${text}`);
export const expect = (condition, page, text) => Boolean(condition) || (fault(page, text), false);

/** Ends the browser, prints what was found, and fails if that is a fault. */
export const end = async (summary) => {
  await browser.close();
  console.log(summary);
  if (faults.length > 0) {
    console.error([...new Set(faults)].slice(0, 40).join("\n"));
    console.error(`${faults.length} faults`);
    process.exit(1);
  }
};

/**
 * A tab that notes what must not happen on the pages below `base`. `context` has cookies of its own; `expected` has the statuses
 * from 400 on that are answers and not faults.
 */
export const tab = async (base, { context = browser, expected = new Set() } = {}) => {
  const page = await context.newPage();
  const where = () => page.url().replace(base, "") || "/";
  page.on("console", (message) => {
    // Of a status, `response` below decides.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
    if (["error", "warn"].includes(message.type()) && !isStatus) fault(where(), `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(where(), `error: ${error.message}`));
  page.on("request", (request) => {
    const isOwn = request.url().startsWith(base) || request.url().startsWith("data:");
    expect(isOwn, where(), `a request leaves the page: ${request.url()}`);
  });
  page.on("requestfailed", (request) => fault(where(), `a request failed: ${request.url()}`));
  page.on("response", (response) => {
    const isFine = response.status() < 400 || expected.has(response.status());
    expect(isFine, where(), `${response.status()} for ${response.url()}`);
  });
  await page.setViewport(DESK);
  return page;
};

export const scheme = (page, value) => page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);

/** No page is wider than the screen. */
export const fits = async (page, path) => {
  for (const screen of [PHONE, DESK]) {
    await page.setViewport(screen);
    const wide = await page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return "";
      const all = [...document.querySelectorAll("body *")].filter((part) => !part.closest(".scroll, .skip"));
      const part = all.find((part) => part.getBoundingClientRect().right > width + 1);
      return part ? part.outerHTML.slice(0, 120) : "something";
    });
    expect(!wide, path, `wider than ${screen.width} pixels: ${wide}`);
  }
};

/** What axe finds, in light and in dark. */
export const accessible = async (page, path) => {
  await page.evaluate(axe);
  for (const value of ["light", "dark"]) {
    await scheme(page, value);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, impact, nodes } of found.violations) {
      // Nothing serious is what is asked for; the rest is not there either.
      fault(path, `axe (${value}): ${impact} ${id}: ${nodes[0].html.slice(0, 160)}`);
    }
  }
  await scheme(page, "light");
};

/** The Tab key reaches everything that can be used, from the top of the page on, and each stop is marked. */
export const stopsAreVisible = async (page, path) => {
  const stops = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], input:not([type=hidden]), select, textarea, button, summary, [tabindex='0']")];
    const groups = new Set();
    return all.filter((part) => {
      if (part.disabled || !(part.checkVisibility?.() ?? true)) return false;
      // Of radio buttons, one of each group is a stop.
      return part.type !== "radio" || (!groups.has(part.name) && groups.add(part.name));
    }).length;
  });
  const missed = [];
  for (let at = 0; at < stops; at += 1) {
    await page.keyboard.press("Tab");
    const unmarked = await page.evaluate(() => {
      const part = document.activeElement;
      const style = getComputedStyle(part.matches("svg a") ? part.querySelector("rect") : part);
      const isMarked = style.outlineStyle !== "none" || parseFloat(style.strokeWidth) >= 3;
      return part !== document.body && isMarked ? "" : part.outerHTML.slice(0, 100);
    });
    if (unmarked) missed.push(unmarked);
  }
  expect(missed.length === 0, path, `of ${stops} stops of Tab, these are not visible: ${missed.join(" and ")}`);
};

/** The first stop of the Tab key leads past the navigation. */
export const skips = async (page, path, target) => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const focused = await page.evaluate(() => document.activeElement.id);
  expect(focused === target, path, "the first stop does not skip to the content");
};
