// A person at the application: a browser of their own with their own cookies, and what they do by mouse and keyboard.
import { browser, tab } from "../chromium.mjs";

export class Person {
  /** A person who works under this name. Everything works without scripts too. */
  static async named(origin, name, { scripts = true } = {}) {
    const context = await browser.createBrowserContext();
    const expected = new Set();
    const page = await tab(origin, { context, expected });
    await page.setJavaScriptEnabled(scripts);
    const person = new Person(origin, name, page, expected);
    await person.open("/me");
    await person.fill("form#me input[name=name]", name);
    await person.submit("form#me");
    return person;
  }

  constructor(origin, name, page, expected) {
    Object.assign(this, { origin, name, page, expected });
  }

  get path() {
    return this.page.url().replace(this.origin, "");
  }

  /** Opens a page; its status must be this one. */
  async open(path, status = 200) {
    return this.#arrive(status, () => this.page.goto(`${this.origin}${path}`, { waitUntil: "load" }));
  }

  /** Clicks what leads to another page. */
  async follow(selector, status = 200) {
    return this.#arrive(status, async () => {
      const [response] = await Promise.all([this.page.waitForNavigation(), this.page.click(selector)]);
      return response;
    });
  }

  /** Submits a form by its button; the status is that of the page at the end of all redirects. */
  async submit(form, status = 200) {
    return this.follow(`${form} button[type=submit]`, status);
  }

  /** The same without the browser's own check, as another program would send the form. */
  async submitUnchecked(form, status) {
    await this.page.$eval(form, (part) => {
      part.noValidate = true;
    });
    return this.submit(form, status);
  }

  /** Presses a key that leads to another page. */
  async press(key, status = 200) {
    return this.#arrive(status, async () => {
      const [response] = await Promise.all([this.page.waitForNavigation(), this.page.keyboard.press(key)]);
      return response;
    });
  }

  async #arrive(status, action) {
    this.expected.add(status);
    const response = await action();
    this.expected.delete(status);
    if (response.status() !== status) {
      throw new Error(`${this.path}: status ${response.status()} and not ${status}: ${(await this.text("h1").catch(() => "")).slice(0, 200)}`);
    }
    return response;
  }

  /** Replaces what a field has by a text, letter for letter. */
  async fill(selector, text) {
    await this.page.focus(selector);
    await this.type(text);
  }

  /** Replaces what the focused field has. */
  async type(text) {
    await this.page.keyboard.down("Control");
    await this.page.keyboard.press("KeyA");
    await this.page.keyboard.up("Control");
    await this.page.keyboard.press("Backspace");
    if (text) await this.page.keyboard.sendCharacter(text);
  }

  /** Goes on with the Tab key until what is focused fits the selector. */
  async tabTo(selector, limit = 120) {
    for (let at = 0; at < limit; at += 1) {
      await this.page.keyboard.press("Tab");
      if (await this.page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
    }
    throw new Error(`${this.path}: ${limit} times Tab do not lead to ${selector}`);
  }

  choose(selector, value) {
    return this.page.select(selector, value);
  }

  /** What is to be read in an element. */
  text(selector) {
    return this.page.$eval(selector, (part) => part.innerText.trim());
  }

  texts(selector) {
    return this.page.$$eval(selector, (parts) => parts.map((part) => part.innerText.trim()));
  }

  value(selector) {
    return this.page.$eval(selector, (part) => part.value);
  }

  async has(selector) {
    return Boolean(await this.page.$(selector));
  }

  /** Everything that is to be read on the page. */
  all() {
    return this.text("body");
  }
}
