// A whole day's work without a mouse: a search, an edit, a conflict.
import { expect } from "../chromium.mjs";
import { FORM, organisation } from "./editing.mjs";

export const keyboard = async ({ cdms, person }) => {
  const { keyboard } = person.page;
  const id = await organisation(cdms, { Name: "Found by keyboard" });
  await person.open("/organisations");
  await person.tabTo("form#search input[name=q]");
  await person.type("Found by keyboard");
  await person.press("Enter");
  await person.tabTo(`table#organisations a[href="/organisations/${id}"]`);
  await person.press("Enter");
  await person.tabTo("a#edit");
  await person.press("Enter");
  await person.tabTo(`${FORM} [name=name]`);
  await person.type("Edited by keyboard");
  await cdms.edit("AccountSet", id, { Name: "Edited in CDMS" });
  await person.tabTo(`${FORM} button[type=submit]`);
  await person.press("Enter", 409);
  await person.tabTo("form#conflict input[type=radio]");
  // The arrows go round the choices, and choose; a space chooses the first.
  await keyboard.press("Space");
  const chosen = () => person.page.$eval("form#conflict input[type=radio]:checked", (radio) => radio.value);
  for (let at = 0; at < 3 && await chosen() !== "mine"; at += 1) await keyboard.press("ArrowDown");
  await person.tabTo("form#conflict button[type=submit]");
  await person.press("Enter");
  expect((await cdms.get("AccountSet", id)).Name === "Edited by keyboard", person.path, "the edit by keyboard was not stored");
};
