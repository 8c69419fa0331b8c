// Several people with the same form open, one of them in CDMS itself: no text is lost, and a person decides what is right.
import { expect } from "../chromium.mjs";
import { FORM, organisation } from "./editing.mjs";

const field = (name) => `${FORM} [name="${name}"]`;
const CONFLICT = "form#conflict";
const choice = (name, side) => `${CONFLICT} input[name="choice.${name}"][value=${side}]`;

/** Both open the form of a new organisation. */
const both = async ({ cdms, person, other }) => {
  const id = await organisation(cdms, { Name: "As it was", optevia_Alias: "alias as it was", Description: "description as it was" });
  for (const each of [person, other]) await each.open(`/organisations/${id}/edit`);
  return id;
};

const save = async (person, values, status = 200) => {
  for (const [name, text] of Object.entries(values)) await person.fill(field(name), text);
  await person.submit(FORM, status);
};

export const differentFields = async (scene) => {
  const id = await both(scene);
  const { cdms, person, other } = scene;
  await save(person, { name: "Person's name" });
  await save(other, { alias: "other's alias" });
  const { Name, optevia_Alias, Description } = await cdms.get("AccountSet", id);
  expect(Name === "Person's name" && optevia_Alias === "other's alias" && Description === "description as it was", other.path,
    `two edits of different fields make ${Name}, ${optevia_Alias}, ${Description}`);
  expect(await other.text("h1") === "Person's name", other.path, "after merging, the page does not show the other's edit");
};

export const sameField = async (scene) => {
  const { cdms, person, other } = scene;
  for (const side of ["mine", "theirs"]) {
    const id = await both(scene);
    await save(person, { name: "Theirs", alias: "same for both" });
    await save(other, { name: "Mine", alias: "same for both", description: "only mine" }, 409);
    const shown = await other.all();
    expect(shown.includes("Mine") && shown.includes("Theirs"), other.path, "the conflict does not show both texts");
    const asked = await other.page.$$eval(`${CONFLICT} fieldset`, (sets) => sets.map((set) => set.querySelector("input[type=radio]").name));
    expect(asked.join() === "choice.name", other.path, `the conflict asks about ${asked}`);
    const before = await cdms.get("AccountSet", id);
    expect(before.Name === "Theirs" && before.Description === "description as it was", other.path, "a conflict writes before anybody has decided");
    await other.page.click(choice("name", side));
    await other.submit(CONFLICT);
    const record = await cdms.get("AccountSet", id);
    expect(record.Name === (side === "mine" ? "Mine" : "Theirs"), other.path, `${side} was chosen, and CDMS has ${record.Name}`);
    expect(record.Description === "only mine", other.path, `what the other had not changed is lost: CDMS has ${record.Description}`);
    await other.open(`/organisations/${id}/history`);
    const versions = await other.text("table#history");
    expect(versions.includes("Theirs"), other.path, "the history does not have what was overwritten");
    if (side === "mine") expect(versions.includes("Mine"), other.path, "the history does not have what was chosen");
  }
};

export const eachItsOwn = async (scene) => {
  const { cdms, person, other } = scene;
  const id = await both(scene);
  await save(person, { name: "Their name", alias: "their alias" });
  await save(other, { name: "My name", alias: "my alias" }, 409);
  await other.page.click(choice("name", "mine"));
  await other.page.click(choice("alias", "theirs"));
  await other.submit(CONFLICT);
  const { Name, optevia_Alias } = await cdms.get("AccountSet", id);
  expect(Name === "My name" && optevia_Alias === "their alias", other.path, `a choice for each field makes ${Name}, ${optevia_Alias}`);
};

export const inCdms = async (scene) => {
  const { cdms, person, other } = scene;
  const id = await both(scene);
  await cdms.edit("AccountSet", id, { Name: "Name of CDMS" });
  await save(person, { description: "description of a person" });
  const merged = await cdms.get("AccountSet", id);
  expect(merged.Name === "Name of CDMS" && merged.Description === "description of a person", person.path,
    `an edit in CDMS and one here make ${merged.Name}, ${merged.Description}`);
  await save(other, { name: "Name of the other" }, 409);
  expect((await other.all()).includes("Name of CDMS"), other.path, "the conflict does not show what CDMS has");

  // While the other decides, CDMS is edited again: that is asked about too.
  await cdms.edit("AccountSet", id, { Name: "Name of CDMS again" });
  await other.page.click(choice("name", "mine"));
  await other.submit(CONFLICT, 409);
  const shown = await other.all();
  expect(shown.includes("Name of CDMS again") && shown.includes("Name of the other"), other.path, "the second conflict does not show both texts");
  expect((await cdms.get("AccountSet", id)).Name === "Name of CDMS again", other.path, "the second edit in CDMS was overwritten unseen");
  await other.page.click(choice("name", "mine"));
  await other.submit(CONFLICT);
  expect((await cdms.get("AccountSet", id)).Name === "Name of the other", other.path, "the decision was not stored");
};

export const nothingChosen = async (scene) => {
  const { cdms, person, other } = scene;
  const id = await both(scene);
  await save(person, { name: "Theirs" });
  await save(other, { name: "Mine <b>&amp;</b>" }, 409);
  expect((await other.all()).includes("Mine <b>&amp;</b>"), other.path, "the conflict does not show a text letter for letter");
  // The browser insists on a choice.
  const isRequired = await other.page.$eval(CONFLICT, (form) => !form.checkValidity());
  expect(isRequired, other.path, "a conflict can be saved without a choice");
  await other.page.click(`${CONFLICT} button[type=submit]`);
  expect((await cdms.get("AccountSet", id)).Name === "Theirs", other.path, "without a choice, something is written");
};

export const deleted = async (scene) => {
  const { cdms, person } = scene;
  const id = await both(scene);
  await cdms.delete("AccountSet", id);
  await save(person, { name: "Typed in vain" }, 410);
  expect((await person.all()).includes("Typed in vain") || await person.value(field("name")).catch(() => "") === "Typed in vain", person.path,
    "the text for a record that was deleted is lost");
};
