// CDMS away: what the hub has is still there and is shown as such, no write pretends, and no text is lost.
import { expect } from "../chromium.mjs";
import { FORM, organisation } from "./editing.mjs";
import { asOf } from "./report.mjs";

const field = `${FORM} [name=name]`;
const AWAY = "#away[role=status]";

export const away = async ({ cdms, person, other }) => {
  const id = await organisation(cdms, { Name: "Known to the hub" });
  const pages = [`/organisations/${id}`, "/organisations", "/organisations?q=known", `/organisations/${id}/history`, "/report", "/operator"];
  for (const path of pages) {
    await person.open(path);
    expect(!(await person.has(AWAY)), path, "says that CDMS is away, and it is not");
  }
  for (const fault of ["drop_before_commit", { html: 503 }]) {
    await person.open(`/organisations/${id}/edit`);
    await other.open("/organisations/new");
    await cdms.during(fault, async () => {
      for (const path of pages.slice(0, 3)) {
        await other.open(path);
        const banner = await other.text(AWAY).catch(() => "");
        expect(banner.length > 20 && /CDMS/.test(banner), path, `CDMS is away, and the page says: ${banner}`);
        expect((await other.text("main")).includes("Known to the hub") || path === "/organisations", path, "the hub's row is not shown");
      }
      const asked = Date.now();
      await other.open("/report");
      // Its rows may be a minute old, so CDMS is not asked sooner.
      expect(await other.has(AWAY) || asked - await asOf(other) < 62_000, "/report", "the report does not say that CDMS is away");
      expect(await other.has("table#by-sector"), "/report", "the report is gone while CDMS is away");
      await other.open("/operator");
      expect(await other.has("#health"), "/operator", "the operator has no page while CDMS is away");

      await person.fill(field, "Typed while CDMS is away");
      await person.submit(FORM, 503);
      expect(await person.value(field).catch(() => "") === "Typed while CDMS is away", person.path, "what was typed while CDMS is away is lost");
      const banner = await person.all();
      expect(/nothing was (changed|written|saved)|not (changed|written|saved)/i.test(banner), person.path, "the page does not say that nothing was changed");
    });
    expect((await cdms.get("AccountSet", id)).Name !== "Typed while CDMS is away", person.path, "a refused write was carried out");
    await person.submit(FORM);
    expect((await cdms.get("AccountSet", id)).Name === "Typed while CDMS is away", person.path, "the same form is refused when CDMS is back");
    expect(!(await person.has(AWAY)), person.path, "CDMS is back, and the page says that it is away");
    await cdms.edit("AccountSet", id, { Name: "Known to the hub" });
    await person.open(`/organisations/${id}`);
  }
};
