// The report's numbers against CDMS's records, counted one by one.
import { expect } from "../chromium.mjs";
import { instant } from "./cdms.mjs";
import { FORM } from "./editing.mjs";

const number = (text) => Number((text ?? "").replaceAll(/[^\d]/g, ""));
const count = (keys) => keys.reduce((counts, key) => counts.set(key, (counts.get(key) ?? 0) + 1), new Map());

const table = async (person, selector) => new Map(await person.page.$$eval(`${selector} tbody tr`, (rows) => rows.map((row) => {
  const cells = [...row.cells].map((cell) => cell.innerText.trim());
  return [cells[0], cells[1]];
})));

const compare = (shown, counted, what) => {
  for (const [key, expected] of counted) {
    expect(number(shown.get(key)) === expected, "/report", `${what} ${key}: ${shown.get(key)} and not ${expected}`);
  }
  expect(shown.size === counted.size, "/report", `${shown.size} rows by ${what}, and CDMS has ${counted.size}`);
};

/** As of when a report is. */
export const asOf = (person) => person.page.$eval("#as-of time", (time) => Date.parse(time.dateTime));

/** What the report must count. */
const counted = async (cdms) => {
  const sectors = await cdms.all("optevia_sectorSet");
  const names = new Map(sectors.map((sector) => [sector.optevia_sectorId, sector.optevia_name]));
  const accounts = await cdms.all("AccountSet", "$select=AccountId,optevia_Sector,CreatedOn");
  return {
    bySector: count(accounts.map((account) => names.get(account.optevia_Sector?.Id) ?? "not known")),
    perMonth: count(accounts.map((account) => instant(account.CreatedOn).toISOString().slice(0, 7))),
  };
};

const check = async ({ cdms, person }) => {
  await person.open("/report");
  const { bySector, perMonth } = await counted(cdms);
  compare(await table(person, "table#by-sector"), bySector, "sector");
  compare(await table(person, "table#per-month"), perMonth, "month");
  expect(bySector.size > 5 && perMonth.size > 5, "/report", "too little to count");
};

/**
 * This story comes before all that change CDMS itself, because the report's rows may be a minute old. What is written here is
 * counted at once.
 */
export const report = async (scene) => {
  const { person } = scene;
  const begun = Date.now();
  await check(scene);
  expect(Math.abs(await asOf(person) - begun) < 120_000, "/report", `is as of ${await person.text("#as-of")}`);
  expect(/\d+ request/.test(await person.text("#as-of")), "/report", "does not say what it cost");
  await person.open("/organisations/new");
  await person.fill(`${FORM} [name=name]`, "Counted at once");
  await person.choose(`${FORM} [name=sector]`, await person.page.$eval(`${FORM} [name=sector] option:last-child`, (option) => option.value));
  await person.submit(FORM);
  await check(scene);
};
