// Lists of organisations: searched, filtered and paged, with exactly the records that CDMS has, in any letters that people type.
import { expect } from "../chromium.mjs";

const PAGE = 20;
const ROWS = "table#organisations tbody tr a";
const names = (records) => records.map((record) => record.Name);
const fold = (text) => (text ?? "").toLowerCase();
/** What a search must find. */
const found = (accounts, text) => accounts.filter(({ Name, optevia_Alias }) => [Name, optevia_Alias].some((name) => fold(name).includes(fold(text))));
const sorted = (texts) => [...texts].sort();
const same = (left, right) => JSON.stringify(left) === JSON.stringify(right);

/** Every page of a list, by its links. */
const pages = async (person) => {
  const all = [await person.texts(ROWS)];
  while (await person.has("a#next")) {
    await person.follow("a#next");
    all.push(await person.texts(ROWS));
  }
  return all;
};

export const paging = async ({ cdms, person }) => {
  const accounts = await cdms.all("AccountSet", "$select=Name,optevia_Alias");
  // A text that a few pages of names contain.
  const words = new Map();
  for (const name of names(accounts)) for (const word of new Set(name.split(" "))) words.set(word, (words.get(word) ?? 0) + 1);
  const [word] = [...words].find(([word, count]) => word.length > 3 && count > 2 * PAGE && count < 8 * PAGE);
  const wanted = names(found(accounts, word));

  await person.open("/");
  expect(person.path === "/organisations", "/", `leads to ${person.path}`);
  const first = await person.texts(ROWS);
  expect(first.length === PAGE, "/organisations", `${first.length} organisations on the first page`);
  await person.follow("a#next");
  const second = await person.texts(ROWS);
  await person.page.goBack();
  expect(same(await person.texts(ROWS), first), "/organisations", "back from the second page, the first one is another");
  const address = await person.page.$eval("a#next", (link) => new URL(link.href).pathname + new URL(link.href).search);
  await person.open(address);
  expect(same(await person.texts(ROWS), second), address, "the address of the second page leads to another one");

  await person.open("/organisations");
  await person.fill("form#search input[name=q]", word);
  await person.submit("form#search");
  expect(await person.value("form#search input[name=q]") === word, person.path, "the search forgets its text");
  const cost = await person.text("#cost");
  expect(/\d+ request/.test(cost) && /\d+ statement/.test(cost) && /CDMS/.test(cost), person.path, `the cost is: ${cost}`);
  const all = await pages(person);
  expect(all.slice(0, -1).every((page) => page.length === PAGE), person.path, `pages with ${all.map((page) => page.length)}`);
  expect(same(sorted(all.flat()), sorted(wanted)), person.path,
    `${all.flat().length} organisations for ${word}, and CDMS has ${wanted.length}`);
  expect(same(all.flat().map(fold), all.flat().map(fold).sort()), person.path, "the list is not in the order of names");
  await person.open(`/organisations?q=${word}&sort=-name`);
  expect(same((await pages(person)).flat().map(fold), all.flat().map(fold).sort().reverse()), person.path, "the list is not in the order that was chosen");
};

export const filters = async ({ cdms, person }) => {
  const accounts = await cdms.all("AccountSet", "$select=AccountId,Name,optevia_Alias,optevia_Sector,optevia_TownCity");
  const { optevia_Sector: sector, optevia_TownCity: town } = accounts.find((account) => account.optevia_Sector?.Id && account.optevia_TownCity);
  const wanted = accounts.filter((account) => account.optevia_Sector?.Id === sector.Id && fold(account.optevia_TownCity).startsWith(fold(town)));
  await person.open("/organisations");
  await person.choose("select[name=sector]", sector.Id);
  await person.fill("form#search input[name=town]", town);
  await person.submit("form#search");
  const all = (await pages(person)).flat();
  expect(await person.value("select[name=sector]") === sector.Id, person.path, "the form forgets the sector");
  expect(same(sorted(all), sorted(names(wanted))), person.path, `${all.length} organisations, and CDMS has ${wanted.length}`);

  // The same by the language of conditions, whose mistakes are named with their place.
  const where = (text) => `/organisations?where=${encodeURIComponent(text)}`;
  await person.open(where(`registered_address.town starts_with '${town.replaceAll("'", "''")}' and sector = ${sector.Id}`));
  const advanced = (await pages(person)).flat();
  expect(same(sorted(advanced), sorted(all)), person.path, `${advanced.length} organisations by a condition, ${all.length} by the form`);
  await person.open(where("name contians 'a'"), 422);
  const mistake = await person.all();
  expect(mistake.includes("contians") && mistake.includes("contains"), person.path, "a mistake in a condition is not explained");
  await person.open("/organisations?q=nothing-has-this-name");
  expect((await person.texts(ROWS)).length === 0 && /no organisation/i.test(await person.text("main")), person.path,
    "an empty list does not say that it is empty");
};

/** Letters that mean something to HTML, addresses, SQL or OData. */
export const HARD = [`O'Neill & "Sons" <script>alert(1)</script>`, "100 % of 1+1=2; drop table", "Zoë 😀 Łódź", "a\\b {{c}} <!-- -->"];

export const letters = async ({ cdms, person }) => {
  const ids = [];
  for (const name of HARD) ids.push(await cdms.create("AccountSet", "AccountId", { Name: name, optevia_Alias: `alias of ${name}` }));
  const accounts = await cdms.all("AccountSet", "$select=Name,optevia_Alias");
  for (const text of [...HARD, "'", "&", "%", "+", "😀", "\\", "' or 'a' eq 'a", "a&sector=b"]) {
    await person.open("/organisations");
    await person.fill("form#search input[name=q]", text);
    await person.submit("form#search");
    const all = (await pages(person)).flat();
    const wanted = names(found(accounts, text));
    expect(same(sorted(all), sorted(wanted)), person.path, `${JSON.stringify(all)} for ${text}, and CDMS has ${JSON.stringify(wanted)}`);
    expect(await person.value("form#search input[name=q]") === text, person.path, `the search shows another text than ${text}`);
  }
  for (const [at, name] of HARD.entries()) {
    await person.open(`/organisations/${ids[at]}`);
    expect(await person.text("h1") === name, person.path, `${name} is shown as ${await person.text("h1")}`);
    expect((await person.page.title()).includes(name), person.path, `the title of ${name} is ${await person.page.title()}`);
    expect(!(await person.has("main script")), person.path, "a name has become a script");
  }
};
