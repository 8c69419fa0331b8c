//! The application's pages over real HTTP, on a real SQLite file, with a simulated CDMS.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and shows its seed")]

mod served;

use std::collections::BTreeMap;

use datahub_runtime::Value;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use example_domain::Organisation;
use served::{Answer, Served, answer};

/// The id at the end of a page's address.
fn id_of(page: &str) -> uuid::Uuid {
    page.rsplit('/').next().unwrap().parse().unwrap()
}

/// The form of a page, with some of its texts replaced.
fn filled<'f>(
    form: &'f std::collections::HashMap<String, String>,
    changes: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let kept = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    kept.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)).chain(changes.iter().copied()).collect()
}

#[tokio::test]
async fn a_list_is_filtered_and_paged_by_cdms() {
    let served = Served::with(120).await;
    let sector =
        served.in_cdms("optevia_sectorSet?$select=optevia_sectorId,optevia_name").await[3]["optevia_sectorId"].clone();
    let sector = sector.as_str().unwrap();
    let wanted =
        served.in_cdms(&format!("AccountSet?$select=Name&$filter=optevia_Sector/Id%20eq%20guid'{sector}'")).await;
    let mut wanted: Vec<_> = wanted.iter().map(|record| record["Name"].as_str().unwrap().to_owned()).collect();
    wanted.sort_unstable_by_key(|name| name.to_lowercase());

    let page = served.get(&format!("/organisations?sector={sector}&q=")).await;
    assert_eq!(page.status, 200);
    let links = page.html.split("<td><a href=").skip(1).map(|rest| rest.split(['>', '<']).nth(1).unwrap().to_owned());
    assert_eq!(links.collect::<Vec<_>>(), wanted, "as CDMS lists them");
    let (shown, known) = (wanted.len(), wanted.len());
    assert!(shown > 0);
    assert_eq!(page.part("count").unwrap(), format!("{shown} shown of {known} that the hub knows."));

    // All of them, page by page, each once.
    let mut page = served.get("/organisations").await;
    let mut all = Vec::new();
    loop {
        // A page of 20 can begin on one of CDMS's pages of 50 and end on the next.
        let cost = page.part("cost").unwrap();
        assert!(cost.starts_with("Asked CDMS: 1 request, ") || cost.starts_with("Asked CDMS: 2 requests, "), "{cost}");
        all.extend(page.links("organisations"));
        let Some(next) = page.next() else { break };
        page = served.get(&next).await;
    }
    assert_eq!(all.len(), 120);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 120, "each once");

    let refused = served.get("/organisations?where=nmae+%3D+'x'").await;
    assert_eq!(refused.status, 422);
    assert!(refused.part("where-fault").unwrap().contains("did you mean `name`?"), "{}", refused.html);
    // What CDMS cannot evaluate is refused with the query that can.
    let refused = served.get("/organisations?where=archived+%3D+true").await;
    assert_eq!(refused.status, 422);
    assert!(refused.part("where-fault").unwrap().contains("ensure_fresh"), "{}", refused.html);
}

#[tokio::test]
async fn two_people_edit_one_organisation() {
    let served = Served::with(10).await;
    let page = served.first().await;
    let form = served.get(&format!("{page}/edit")).await.inputs();

    let ada = filled(&form, &[("name", "Ada’s name"), ("alias", "Ada’s alias")]);
    let saved = served.post("Ada+Lovelace", &page, &ada).await;
    assert_eq!((saved.status, saved.location.as_str()), (303, page.as_str()));

    let bob = filled(&form, &[("name", "Bob’s name"), ("website", "https://bob.example")]);
    let conflict = served.post("Bob", &page, &bob).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.html.matches("<fieldset>").count(), 1, "only the name was changed by both");
    assert!(conflict.html.contains("Bob’s name") && conflict.html.contains("Ada’s name"));
    let both = conflict.inputs();

    let record = || served.kit.simulator.record("Account", id_of(&page)).unwrap();
    assert_eq!(record().get("Name"), Some(&Value::text("Ada’s name")), "nothing was saved yet");
    let decided = served.post("Bob", &page, &filled(&both, &[("choice.name", "theirs")])).await;
    assert_eq!(decided.status, 303);
    let shown = ["Name", "optevia_Alias", "WebSiteURL"].map(|name| record().get(name).cloned());
    assert_eq!(shown, ["Ada’s name", "Ada’s alias", "https://bob.example"].map(|text| Some(Value::text(text))));

    let decided = served.post("Bob", &page, &filled(&both, &[("choice.name", "mine")])).await;
    assert_eq!(decided.status, 303, "the others have not changed since");
    assert_eq!(record().get("Name"), Some(&Value::text("Bob’s name")));
}

#[tokio::test]
async fn what_cdms_would_refuse_is_said_beside_each_field() {
    let served = Served::with(3).await;
    let page = served.first().await;
    let form = served.get(&format!("{page}/edit")).await.inputs();
    let (long, before) = ("1".repeat(21), served.kit.simulator.record("Account", id_of(&page)));
    let refused = filled(&form, &[("name", ""), ("registered_address.postcode", &long), ("alias", "kept")]);
    let refused = served.post("Ada", &page, &refused).await;
    assert_eq!(refused.status, 422);
    assert!(refused.part("name-fault").unwrap().contains("required"), "{}", refused.html);
    assert!(refused.part("registered_address.postcode-fault").unwrap().contains("20"), "{}", refused.html);
    assert_eq!(refused.html.matches("aria-invalid=\"true\"").count(), 2);
    assert_eq!(refused.inputs()["alias"], "kept", "the input is kept");
    assert_eq!(served.kit.simulator.record("Account", id_of(&page)), before);

    // The same for a new one, which is then created.
    let refused = served.post("Ada", "/organisations", &[("name", "")]).await;
    assert_eq!(refused.status, 422);
    let created = served.post("Ada", "/organisations", &[("name", "Zeta"), ("uk_organisation", "true")]).await;
    assert_eq!(created.status, 303);
    let record = served.kit.simulator.record("Account", id_of(&created.location)).unwrap();
    assert_eq!(record.get("Name"), Some(&Value::text("Zeta")));
    assert_eq!(record.get("optevia_ukorganisation"), Some(&Value::Boolean(true)));
}

#[tokio::test]
async fn a_contact_is_edited_from_its_organisation() {
    let served = Served::with(3).await;
    let page = served.first().await;
    let contacts = served.get(&page).await;
    let (_, contacts) = contacts.html.split_once("<section id=\"contacts\"").unwrap();
    let contact = contacts.split("href=\"").nth(1).unwrap().split("/edit").next().unwrap();
    let form = served.get(&format!("{contact}/edit")).await;
    assert!(form.html.contains("<form id=\"contact\""));
    let saved = served.post("Ada", contact, &filled(&form.inputs(), &[("job_title", "Chair")])).await;
    assert_eq!((saved.status, saved.location), (303, page));
    let record = served.kit.simulator.record("Contact", id_of(contact)).unwrap();
    assert_eq!(record.get("JobTitle"), Some(&Value::text("Chair")));
}

#[tokio::test]
async fn the_history_says_who_and_leads_back() {
    let served = Served::with(3).await;
    let page = served.first().await;
    let form = served.get(&format!("{page}/edit")).await.inputs();
    let before = form["name"].clone();
    served.post("Ada+Lovelace", &page, &filled(&form, &[("name", "Changed")])).await;

    let history = served.get(&format!("{page}/history")).await;
    let rows = history.table("history");
    assert!(rows[0][1].starts_with("Ada Lovelace Data Hub") && rows[0][2].contains("→ \"Changed\""), "{rows:?}");
    assert!(rows[1][1].contains("found by a pull"), "{rows:?}");
    let version = history.inputs()["version"].clone();
    let reverted = served.post("Bob", &format!("{page}/revert"), &[("version", &version)]).await;
    assert_eq!(reverted.status, 303);
    let record = served.kit.simulator.record("Account", id_of(&page)).unwrap();
    assert_eq!(record.get("Name"), Some(&Value::text(before)));
    let rows = served.get(&reverted.location).await.table("history");
    assert!(rows[0][1].starts_with("Bob Data Hub, back to a version"), "{rows:?}");
}

#[tokio::test]
async fn a_report_has_the_numbers_of_cdms() {
    let served = Served::with(60).await;
    // What changed since the hub was loaded counts, too.
    served.kit.simulator.add("Account", [("Name", Value::text("New"))]);
    served.wait(61);
    let report = served.get("/report").await;
    assert!(report.part("as-of").unwrap().contains("2 requests"), "{:?}", report.part("as-of"));

    let sectors = served.in_cdms("optevia_sectorSet?$select=optevia_sectorId,optevia_name").await;
    let name = |id: &serde_json::Value| {
        let sector = sectors.iter().find(|sector| sector["optevia_sectorId"] == *id);
        sector.map_or("not known", |sector| sector["optevia_name"].as_str().unwrap()).to_owned()
    };
    let (mut by_sector, mut per_month) = (BTreeMap::new(), BTreeMap::new());
    for record in served.in_cdms("AccountSet?$select=optevia_Sector,CreatedOn").await {
        *by_sector.entry(name(&record["optevia_Sector"]["Id"])).or_insert(0) += 1;
        let created = record["CreatedOn"].as_str().unwrap().trim_matches(|letter: char| !letter.is_ascii_digit());
        let created = chrono::DateTime::from_timestamp_millis(created.parse().unwrap()).unwrap();
        *per_month.entry(created.format("%Y-%m").to_string()).or_insert(0) += 1;
    }
    let shown = |id| -> BTreeMap<String, i32> {
        report.table(id).into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect()
    };
    assert_eq!(shown("by-sector"), by_sector);
    assert_eq!(shown("per-month"), per_month);
    assert_eq!(by_sector.values().sum::<i32>(), 61);

    let again = served.get("/report").await;
    assert!(again.part("as-of").unwrap().contains("0 requests"), "{:?}", again.part("as-of"));
}

#[tokio::test]
async fn an_operator_sees_what_waits_and_goes_on() {
    let served = Served::with(3).await;
    let page = served.first().await;
    let unfit = served.kit.simulator.seed("Account", [("Name", Value::Null)]);
    assert_eq!(served.get(&format!("/organisations/{unfit}")).await.status, 502);
    let form = served.get(&format!("{page}/edit")).await.inputs();
    served.kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    let unsettled = served.post("Ada", &page, &filled(&form, &[("name", "Settled")])).await;
    assert_eq!(unsettled.status, 202, "{}", unsettled.html);

    let waiting = served.get("/operator").await;
    let rows = waiting.table("quarantine");
    assert!(rows.len() == 1 && rows[0][0] == format!("Account {unfit}") && rows[0][1].contains("Name"), "{rows:?}");
    let rows = waiting.table("writes");
    assert!(rows.len() == 1 && rows[0][0].contains(&id_of(&page).to_string()) && rows[0][1] == "Ada, crm", "{rows:?}");
    assert!(waiting.html.contains("<dl id=\"health\">"));
    for side in ["<dt>Database</dt><dd>works</dd>", "<dt>Network</dt><dd>works</dd>", "<dt>Login</dt><dd>works</dd>"] {
        assert!(waiting.html.contains(side), "{side}");
    }

    served.kit.simulator.edit("Account", unfit, [("Name", Value::text("Fit"))]);
    let retried = served.post("Ada", "/operator/retry", &[]).await;
    assert_eq!((retried.status, retried.location.as_str()), (303, "/operator?retried=1"));
    served.wait(600);
    let settled = served.post("Ada", "/operator/settle", &[]).await;
    assert_eq!((settled.status, settled.location.as_str()), (303, "/operator?settled=1"));
    let waiting = served.get(&settled.location).await;
    assert!(waiting.table("quarantine").is_empty() && waiting.table("writes").is_empty(), "{}", waiting.html);
    assert!(served.get(&page).await.html.contains("<h1>Settled</h1>"));
}

#[tokio::test]
async fn while_cdms_is_away_pages_show_what_the_hub_has_and_nothing_is_written() {
    let served = Served::with(60).await;
    let page = served.first().await;
    let form = served.get(&format!("{page}/edit")).await.inputs();
    let list = served.get("/organisations").await;
    assert!(!list.is_away());
    served.kit.simulator.go_away();
    served.wait(61);

    for path in ["/organisations", "/organisations?q=no+such+name", &page, &format!("{page}/edit"), "/report"] {
        let shown = served.get(path).await;
        assert_eq!((shown.status, shown.is_away()), (200, true), "{path}: {}", shown.html);
    }
    let local = served.get("/organisations").await;
    assert_eq!(local.links("organisations").len(), 20);
    assert!(local.part("cost").unwrap().starts_with("Asked the hub’s rows"), "{:?}", local.part("cost"));
    // CDMS's place in the list is of no use among the rows: the list begins again.
    let next = served.get(&list.next().unwrap()).await;
    assert_eq!((next.status, next.location.as_str()), (303, "/organisations?"));

    let refused = served.post("Ada", &page, &filled(&form, &[("name", "Later")])).await;
    assert_eq!((refused.status, refused.is_away()), (503, true));
    assert!(refused.part("problem").unwrap().contains("nothing was changed"), "{}", refused.html);
    let again = refused.inputs();
    assert_eq!(again["name"], "Later", "the input is kept");
    served.kit.simulator.come_back();
    assert_eq!(served.post("Ada", &page, &filled(&again, &[])).await.status, 303, "the same form once more");
    let shown = served.get(&page).await;
    assert!(!shown.is_away() && shown.html.contains("<h1>Later</h1>"));
    // A list that began among the rows goes on there, and says why.
    let second = served.get(&local.next().unwrap()).await;
    assert!(second.html.contains("CDMS could not be reached when this list began"), "{}", second.html);
    assert!(!served.get("/organisations").await.is_away());
}

#[tokio::test]
async fn every_page_can_be_read_by_everyone() {
    let served = Served::with(3).await;
    let page = served.first().await;
    let (edit, history) = (format!("{page}/edit"), format!("{page}/history"));
    let none = format!("/organisations/{}", datahub_runtime::Id::<Organisation>::new());
    let pages = ["/organisations", "/organisations/new", &page, &edit, &history, "/report", "/operator", "/me"];
    for (path, status) in
        pages.map(|path| (path, 200)).into_iter().chain([("/nothing", 404), ("/organisations/1", 404), (&none, 404)])
    {
        let Answer { status: found, html, .. } = served.get(path).await;
        assert_eq!(found, status, "{path}");
        let once = ["<h1>", "<title>", "<main id=\"content\"", "href=\"#content\"", "<html lang=\"en\">"];
        assert_eq!(once.map(|part| html.matches(part).count()), [1; 5], "{path}: {html}");
        assert!(!html.contains("<script") && !html.contains(" style="), "{path}");
    }
    assert_eq!(served.get("/").await.location, "/organisations");
    assert!(served.get("/style.css").await.html.contains("light-dark"));
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let served = Served::with(1).await;
    let from =
        async |origin: &str| answer(served.form("/me", &[("name", "Ada & Bob; ü")]).header("origin", origin)).await;
    assert_eq!(from("https://elsewhere.example").await.status, 403);
    assert_eq!(from("null").await.status, 403);
    assert_eq!(from(&served.address).await.status, 303);
    let response = served.form("/me", &[("name", "Ada & Bob; ü")]).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let shown = answer(reqwest::Client::new().get(format!("{}/me", served.address)).header("cookie", cookie)).await;
    assert_eq!(shown.inputs()["name"], "Ada & Bob; ü");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
}
