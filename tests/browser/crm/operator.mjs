// What waits for an operator: a write whose answer was lost, and a record of CDMS's that does not fit.
import { expect } from "../chromium.mjs";
import { FORM, organisation } from "./editing.mjs";

const rows = (person, table) => person.texts(`table#${table} tbody tr`);
const about = async (person, table, id) => (await rows(person, table)).filter((row) => row.includes(id));

export const lostAnswer = async ({ cdms, person }) => {
  const name = `The answer was lost ${Date.now()}`;
  await person.open("/organisations/new");
  await person.fill(`${FORM} [name=name]`, name);
  // CDMS creates it, does not say so, and cannot be read afterwards.
  await cdms.order("drop_after_commit", "create");
  await cdms.order({ html: 503 }, "read", 1000);
  let id;
  try {
    await person.submit(FORM, 202);
    // Sent once more, the form would create it twice.
    expect(!(await person.has(FORM)), person.path, "a form whose outcome is unknown is offered again");
    expect(/finds out/.test(await person.text("main")), person.path, "the page does not say that the outcome is unknown");
    const created = await cdms.all("AccountSet", `$filter=Name eq '${name}'&$select=AccountId`);
    expect(created.length === 1, "/organisations", `CDMS has it ${created.length} times`);
    id = created[0].AccountId;
    await person.open("/operator");
    const open = await about(person, "writes", id);
    expect(open.length === 1 && open[0].includes(person.name), "/operator", `a write whose outcome is unknown is listed as ${open}`);
  } finally {
    await cdms.healthy();
  }
  await person.submit('form[action="/operator/settle"]');
  expect(/settled/.test(await person.text(".notice")), person.path, "settling does not say what it has done");
  expect((await about(person, "writes", id)).length === 0, "/operator", "a write that could be settled is still open");
  await person.open(`/organisations/${id}/history`);
  expect((await person.text("table#history")).includes(person.name), person.path, "the history does not have a settled write");
  expect((await cdms.commits(id)).length === 1, person.path, "a settled write was sent again");
};

export const quarantine = async ({ cdms, person }) => {
  const id = await organisation(cdms, { Name: "Fits at first" });
  await person.open(`/organisations/${id}`);
  const scene = (state) => [{ entity: "Account", attributes: { AccountId: { guid: id }, Name: "Does not fit", StateCode: { choice: state } } }];
  await cdms.seed(scene(7));
  await person.open(`/organisations/${id}`, 502);
  await person.open("/operator");
  const waiting = await about(person, "quarantine", id);
  expect(waiting.length === 1 && /state/i.test(waiting[0]), "/operator", `a record that does not fit is listed as ${waiting}`);
  await person.open("/organisations?q=Does+not+fit");
  expect(/1 cannot be shown/.test(await person.text("#count")), person.path, "a list leaves a record out without saying so");
  await cdms.seed(scene(0));
  await person.open("/operator");
  await person.submit('form[action="/operator/retry"]');
  await person.open("/operator");
  expect((await about(person, "quarantine", id)).length === 0, "/operator", "a record that fits again still waits");
  await person.open(`/organisations/${id}`);
  expect(await person.text("h1") === "Does not fit", person.path, "a record that fits again is not shown");
};
