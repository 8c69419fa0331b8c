// The example application in a real browser: what people do with it alone, two at once, without a mouse, without scripts and while
// CDMS is away. `cargo xtask browser application` starts it and runs this; arguments: its address, that of CDMS's control
// interface, a folder for screenshots, and one story if only that is to be tried.
import { mkdir } from "node:fs/promises";
import { end, fault } from "./chromium.mjs";
import { away } from "./crm/away.mjs";
import { Cdms } from "./crm/cdms.mjs";
import { contacts, creating, editing, history, unchanged } from "./crm/editing.mjs";
import { everyPage, otherSites } from "./crm/every_page.mjs";
import { keyboard } from "./crm/keyboard.mjs";
import { filters, letters, paging } from "./crm/lists.mjs";
import { lostAnswer, quarantine } from "./crm/operator.mjs";
import { Person } from "./crm/person.mjs";
import { report } from "./crm/report.mjs";
import { deleted, differentFields, eachItsOwn, inCdms, nothingChosen, sameField } from "./crm/two_people.mjs";

const [address, control, screenshots, only] = process.argv.slice(2);
const origin = address.replace(/\/$/, "");
const cdms = new Cdms(control);
await mkdir(screenshots, { recursive: true });

const lists = { report, paging, filters, letters };
const alone = { creating, editing, unchanged, contacts, history };
const atOnce = { differentFields, sameField, eachItsOwn, inCdms, nothingChosen, deleted };
const once = { keyboard, lostAnswer, quarantine, otherSites, everyPage };
let count = 0;

/** Tries each story; one that breaks off is a fault, and the others go on. */
const tell = async (stories, how, [one, two], scripts) => {
  const person = await Person.named(origin, one, { scripts });
  const other = await Person.named(origin, two, { scripts });
  for (const [name, story] of Object.entries(stories)) {
    if (only && only !== name) continue;
    const begun = performance.now();
    try {
      await story({ origin, cdms, person, other, screenshots });
    } catch (error) {
      fault(`${name} ${how}`, error.stack.split("\n").slice(0, 4).join("\n"));
    }
    count += 1;
    if (only || process.env.DATAHUB_TIMES) console.log(`${name} ${how}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }
};

const begun = performance.now();
await tell({ ...lists, ...alone, ...atOnce, away, ...once }, "with scripts", ["Ada", "Ben"], true);
// The application has no scripts, and none of a browser's own is needed.
await tell({ paging, creating, editing, contacts, history, sameField, inCdms, away }, "without scripts", ["Chloe", "Dinesh"], false);
await end(`${count} stories in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
