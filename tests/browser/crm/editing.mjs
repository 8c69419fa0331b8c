// One person at work: a new organisation, an edit, a contact, mistakes in a form, the history and the way back.
import { expect } from "../chromium.mjs";
import { HARD } from "./lists.mjs";

export const FORM = "form#organisation";
const field = (name) => `${FORM} [name="${name}"]`;

/** An organisation with these attributes, created in CDMS itself. */
export const organisation = (cdms, attributes) => cdms.create("AccountSet", "AccountId", attributes);

/** A form that was refused: beside the field stands why, for a screen reader too, and nothing that was typed is lost. */
export const refused = async (person, form, name, kept) => {
  const input = `${form} [name="${name}"]`;
  const { invalid, message } = await person.page.$eval(input, (part) => ({
    invalid: part.getAttribute("aria-invalid"),
    message: (part.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.innerText ?? "").join(" ").trim(),
  }));
  expect(invalid === "true", person.path, `the field ${name} is not marked as invalid`);
  expect(message.length > 10, person.path, `the field ${name} is described as: ${message}`);
  for (const [name, text] of Object.entries(kept)) {
    expect(await person.value(`${form} [name="${name}"]`) === text, person.path, `the text of ${name} is lost`);
  }
};

export const creating = async ({ cdms, person }) => {
  const name = `Wheel & Sons ${person.name}`;
  await person.open("/organisations/new");
  await person.fill(field("alias"), "typed before the mistake");
  await person.submitUnchecked(FORM, 422);
  await refused(person, FORM, "name", { alias: "typed before the mistake" });
  await person.fill(field("name"), "n".repeat(161));
  await person.submitUnchecked(FORM, 422);
  await refused(person, FORM, "name", { name: "n".repeat(161), alias: "typed before the mistake" });
  await person.fill(field("name"), name);
  await person.submit(FORM);
  expect(await person.text("h1") === name, person.path, `after creating it, the page shows ${await person.text("h1")}`);
  const id = person.path.split("/").pop();
  const record = await cdms.get("AccountSet", id);
  expect(record.Name === name && record.optevia_Alias === "typed before the mistake", person.path, `CDMS has ${record.Name}`);
  const commits = await cdms.commits(id);
  expect(commits.length === 1 && commits[0].kind === "create", person.path, `CDMS has ${commits.length} commits`);
  await person.page.reload();
  expect((await cdms.commits(id)).length === 1, person.path, "a reload after creating creates again");
};

export const editing = async ({ cdms, person }) => {
  const id = await organisation(cdms, { Name: "Before the edit", optevia_Alias: "the alias", optevia_TownCity: "Leeds" });
  await person.open(`/organisations/${id}`);
  await person.follow("a#edit");
  expect(await person.value(field("name")) === "Before the edit", person.path, "the form does not have what CDMS has");
  await person.fill(field("name"), "After the edit");
  await person.submit(FORM);
  expect(person.path === `/organisations/${id}`, person.path, "an edit does not lead back to the organisation");
  expect(await person.text("h1") === "After the edit", person.path, "the edit is not shown");
  const commits = await cdms.commits(id);
  const sent = commits.at(-1).sent.filter((name) => name !== "optevia_PAFOverride");
  expect(commits.length === 2 && sent.join() === "Name", person.path, `an edit of the name sends ${sent}`);

  // Any letters are texts, in the form as in CDMS.
  for (const text of HARD) {
    await person.open(`/organisations/${id}/edit`);
    await person.fill(field("alias"), text);
    await person.submit(FORM);
    const { optevia_Alias: alias } = await cdms.get("AccountSet", id);
    expect(alias === text, person.path, `${text} is stored as ${alias}`);
    await person.open(`/organisations/${id}/edit`);
    expect(await person.value(field("alias")) === text, person.path, `${text} is shown as ${await person.value(field("alias"))}`);
  }
};

/** A form that comes back as it was shown writes nothing, whatever a browser makes of the texts in it. */
export const unchanged = async ({ cdms, person }) => {
  // The hub does not know this sector yet.
  const sector = await cdms.create("optevia_sectorSet", "optevia_sectorId", { optevia_name: "Brand new" });
  const id = await organisation(cdms, {
    Name: "  Two\nlines  ", optevia_Alias: HARD.join(" "), Description: "\n first\r\nsecond\n\tthird ", optevia_Address1: "1 High Street\r\nLeeds",
    WebSiteURL: "not an address", optevia_Sector: { Id: sector, LogicalName: "optevia_sector" }, optevia_AreaCode: "0113", optevia_TelephoneNumber: "496 0000",
  });
  await person.open(`/organisations/${id}/edit`);
  await person.submit(FORM);
  const writes = (await cdms.commits(id)).slice(1);
  expect(writes.length === 0, person.path, `a form without a change writes ${JSON.stringify(writes.map((write) => write.after))}`);
  await person.open(`/organisations/${id}/edit`);
  await person.fill(field("alias"), "the only change");
  await person.submit(FORM);
  const sent = (await cdms.commits(id)).at(-1).sent.filter((name) => name !== "optevia_PAFOverride");
  expect(sent.join() === "optevia_Alias", person.path, `an edit of the alias sends ${sent}`);
};

export const contacts = async ({ cdms, person }) => {
  const id = await organisation(cdms, { Name: "With a contact" });
  const contact = await cdms.create("ContactSet", "ContactId", {
    FirstName: "Ida", LastName: "Rhodes", ParentCustomerId: { Id: id, LogicalName: "account" },
  });
  await person.open(`/organisations/${id}`);
  expect((await person.text("#contacts")).includes("Rhodes"), person.path, "the contact is not shown");
  const link = `#contacts a[href="/contacts/${contact}/edit"]`;
  await person.follow(link);
  await person.fill("form#contact [name=last_name]", "");
  await person.submitUnchecked("form#contact", 422);
  await refused(person, "form#contact", "last_name", { last_name: "" });
  await person.fill("form#contact [name=last_name]", "O'Rhodes");
  await person.submit("form#contact");
  const record = await cdms.get("ContactSet", contact);
  expect(record.LastName === "O'Rhodes" && record.FirstName === "Ida", person.path, `CDMS has ${record.FirstName} ${record.LastName}`);
  expect((await person.text("#contacts")).includes("O'Rhodes"), person.path, "the contact's new name is not shown");
};

export const history = async ({ cdms, person }) => {
  const id = await organisation(cdms, { Name: "First name" });
  for (const name of ["Second name", "Third name"]) {
    await person.open(`/organisations/${id}/edit`);
    await person.fill(field("name"), name);
    await person.submit(FORM);
  }
  await cdms.edit("AccountSet", id, { Name: "Name from CDMS" });
  await person.open(`/organisations/${id}`);
  await person.follow("a#history");
  const rows = await person.texts("table#history tbody tr");
  for (const name of ["Second name", "Third name"]) {
    expect(rows.some((row) => row.includes(name) && row.includes(person.name)), person.path, `no row says that ${person.name} wrote ${name}`);
  }
  expect(rows.some((row) => row.includes("Name from CDMS") && !row.includes(person.name)), person.path, "the edit in CDMS is no version of its own");
  const buttons = await person.page.$$("table#history tbody tr");
  for (const [at, row] of rows.entries()) {
    if (!row.includes("Second name") || row.includes("Third name")) continue;
    const button = await buttons[at].$("form.revert button");
    if (!button) continue;
    await person.page.evaluate((part) => part.setAttribute("data-wanted", ""), button);
    break;
  }
  await person.follow("[data-wanted]");
  expect((await cdms.get("AccountSet", id)).Name === "Second name", person.path, "CDMS does not have the version that was gone back to");
  await person.open(`/organisations/${id}/history`);
  const after = await person.texts("table#history tbody tr");
  expect(after.length > rows.length, person.path, "going back is no version of its own");
  expect(after.some((row) => row.includes("Name from CDMS")), person.path, "going back has removed a version");
};
