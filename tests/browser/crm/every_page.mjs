// What holds for every page: one heading, a title, a way past the navigation, visible stops of the Tab key, no wider than a phone,
// nothing that axe objects to; screenshots of each, for people to look at.
import { join } from "node:path";
import { accessible, DESK, expect, fits, PHONE, scheme, skips, stopsAreVisible } from "../chromium.mjs";
import { FORM, organisation } from "./editing.mjs";

/** Checks the page that a person is at; `name` is that of its screenshots. */
const look = async (person, name, screenshots) => {
  const { page } = person;
  const { headings, title, main, lang, ids } = await page.evaluate(() => ({
    headings: document.querySelectorAll("h1").length,
    title: document.title,
    main: document.querySelectorAll("main").length,
    lang: document.documentElement.lang,
    ids: [...document.querySelectorAll("[id]")].map((part) => part.id),
  }));
  expect(headings === 1 && main === 1, name, `${headings} main headings, ${main} main parts`);
  expect(title.trim().length > 3 && lang === "en", name, `the title is "${title}", the language "${lang}"`);
  expect(new Set(ids).size === ids.length, name, "an id is used twice");
  await fits(page, name);
  await accessible(page, name);
  await page.setViewport(PHONE);
  const broken = await page.evaluate(() => {
    const cells = [...document.querySelectorAll("th, td")].filter((cell) => cell.innerText.trim().length > 3 && cell.checkVisibility());
    return cells.find((cell) => cell.getBoundingClientRect().width < 50)?.innerText;
  });
  expect(!broken, name, `a cell of a table is too narrow to read on a phone: ${broken}`);
  for (const [screen, size] of Object.entries({ phone: PHONE, desk: DESK })) {
    for (const value of ["light", "dark"]) {
      await page.setViewport(size);
      await scheme(page, value);
      await page.screenshot({ path: join(screenshots, `crm-${name}-${screen}-${value}.png`) });
    }
  }
  await scheme(page, "light");
  // From the top of the page, also where a field has the focus at first.
  await page.evaluate(() => {
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  await stopsAreVisible(page, name);
};

export const everyPage = async ({ cdms, person, other, screenshots }) => {
  const id = await organisation(cdms, {
    Name: "Averylongnamewithoutanyspaceinitthatisnotbrokenanywhereunlessthepageallowsit Ltd", optevia_Alias: "Wheel & Sons", WebSiteURL: "https://www.example.gov.uk/",
  });
  const contact = await cdms.create("ContactSet", "ContactId", {
    FirstName: "Ida", LastName: "Rhodes", ParentCustomerId: { Id: id, LogicalName: "account" },
  });
  const plain = {
    list: "/organisations", found: "/organisations?q=Ltd", empty: "/organisations?q=nothing-has-this-name", new: "/organisations/new",
    organisation: `/organisations/${id}`, edit: `/organisations/${id}/edit`, contact: `/contacts/${contact}/edit`,
    report: "/report", operator: "/operator", me: "/me",
  };
  for (const [name, path] of Object.entries(plain)) {
    await person.open(path);
    await look(person, name, screenshots);
  }
  for (const path of ["/organisations", `/organisations/${id}/edit`]) {
    await person.open(path);
    await skips(person.page, path, await person.page.$eval("main", (main) => main.id));
  }
  for (const [name, path] of Object.entries({ "unknown-page": "/nothing", "unknown-record": "/organisations/00000000-0000-0000-0000-000000000001" })) {
    await person.open(path, 404);
    await look(person, name, screenshots);
    expect(await person.has("main a[href], nav a[href]"), path, "leads nowhere");
  }
  for (const each of [person, other]) await each.open(`/organisations/${id}/edit`);
  await person.fill(`${FORM} [name=name]`, "Wheel and Sons (Leeds) Ltd");
  await person.fill(`${FORM} [name=alias]`, "Wheel");
  await person.submit(FORM);
  await other.fill(`${FORM} [name=name]`, "Wheel & Daughters Ltd");
  await other.fill(`${FORM} [name=alias]`, "The Wheel");
  await other.submit(FORM, 409);
  await look(other, "conflict", screenshots);
  // The one that the README shows: docs/crm.png.
  await other.page.setViewport({ width: 960, height: 480, deviceScaleFactor: 1.5 });
  await other.page.screenshot({ path: join(screenshots, "crm-readme.png") });
  await other.open(`/organisations/${id}/history`);
  await look(other, "history", screenshots);
  await other.open("/organisations/new");
  await other.submitUnchecked(FORM, 422);
  await look(other, "refused", screenshots);
  await other.open(`/organisations/${id}/edit`);
  await cdms.during({ html: 503 }, async () => {
    await other.fill(`${FORM} [name=alias]`, "Kept for later");
    await other.submit(FORM, 503);
    await look(other, "away-write", screenshots);
    await person.open(`/organisations/${id}`);
    await look(person, "away", screenshots);
    await person.open("/organisations?q=Wheel");
    await look(person, "away-list", screenshots);
  });
};

/** What other sites may not do: put a script into a page, put the page into a frame, or send a form in a person's name. */
export const otherSites = async ({ origin, cdms }) => {
  const response = await fetch(`${origin}/organisations`);
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    expect(policy.includes(part), "/organisations", `the content security policy lacks ${part}: ${policy}`);
  }
  expect(!policy.includes("unsafe-") && !policy.includes("*"), "/organisations", `the content security policy allows too much: ${policy}`);
  const id = await organisation(cdms, { Name: "Not for others" });
  for (const [path, form] of [[`/organisations/${id}`, { name: "Taken over" }], ["/organisations", { name: "Taken over" }], ["/operator/settle", {}], ["/me", { name: "x" }]]) {
    const taken = await fetch(origin + path, {
      method: "POST", redirect: "manual", body: new URLSearchParams(form),
      headers: { origin: "https://elsewhere.example", "sec-fetch-site": "cross-site" },
    });
    expect(taken.status === 403, path, `another site's form is answered with ${taken.status}`);
  }
  expect((await cdms.get("AccountSet", id)).Name === "Not for others", "/organisations", "another site has changed a record");
};
