//! The site: pages of HTML, one style sheet, and one script with an index for the search. Nothing is loaded from elsewhere.

use askama::Template;

use crate::File;
use crate::atlas::{Atlas, Contract, ContractAttribute, LookupEnd, Model, NamedAttribute};
use crate::changes::Since;
use crate::diagram::Diagram;
use crate::search;

/// With more models than this, the overview links to their list instead of containing it.
const SHORT: usize = 60;

/// The most names of attributes on a page of the reverse index.
const NAMES_MAX: usize = 600;

const STYLE: &str = include_str!("../assets/site.css");
const SCRIPT: &str = include_str!("../assets/site.js");

/// What every page has around its content.
struct Chrome<'p> {
    title: &'p str,
    /// Leads from the page to the site's first page: empty, or `../`.
    root: &'static str,
    /// The entry of the navigation that the page belongs to.
    here: &'static str,
    has_changes: bool,
}

impl Chrome<'_> {
    /// The address of one of the site's pages.
    fn to(&self, page: &str) -> String {
        format!("{}{page}", self.root)
    }
}

#[derive(Template)]
#[template(path = "html/overview.html")]
struct Overview<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
    svg: String,
    shown: usize,
    all: usize,
    is_short: bool,
}

#[derive(Template)]
#[template(path = "html/models.html")]
struct ModelsPage<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
}

#[derive(Template)]
#[template(path = "html/contracts.html")]
struct ContractsPage<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
}

#[derive(Template)]
#[template(path = "html/model.html")]
struct ModelPage<'p> {
    chrome: Chrome<'p>,
    model: &'p Model,
    svg: String,
    shown: usize,
    all: usize,
    /// Field, the field's anchor, and what it refers to.
    points_to: Vec<(&'p str, &'p str, Link)>,
    /// Model, address and field.
    pointed_at: Vec<(&'p str, String, &'p str)>,
}

#[derive(Template)]
#[template(path = "html/contract.html")]
struct ContractPage<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
    contract: &'p Contract,
    groups: Vec<(&'p str, Vec<&'p str>)>,
}

impl ContractPage<'_> {
    /// The address of what a lookup may refer to.
    fn target(&self, end: &Option<LookupEnd>) -> Option<String> {
        let place = self.atlas.place_of(end.as_ref()?)?;
        Some(format!("{}{place}.html", self.chrome.root))
    }
}

#[derive(Template)]
#[template(path = "html/attributes.html")]
struct AttributesPage<'p> {
    chrome: Chrome<'p>,
    heading: &'p str,
    parts: &'p [Part],
    at: usize,
    attributes: &'p [NamedAttribute],
}

#[derive(Template)]
#[template(path = "html/personal.html")]
struct PersonalPage<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
    unused: Vec<(&'p Contract, &'p ContractAttribute)>,
}

#[derive(Template)]
#[template(path = "html/changes.html")]
struct ChangesPage<'p> {
    chrome: Chrome<'p>,
    atlas: &'p Atlas,
    since: &'p Since,
}

/// A link, or a text if there is no page.
struct Link {
    text: String,
    href: Option<String>,
}

/// A page of the reverse index.
struct Part {
    path: String,
    first: String,
    last: String,
}

/// The files of the site; with `since`, also the page of changes.
///
/// # Errors
///
/// A template cannot be rendered, which is a bug in this crate.
pub fn site(atlas: &Atlas, since: Option<&Since>) -> Result<Vec<File>, askama::Error> {
    let site = Site { atlas, has_changes: since.is_some() };
    let mut files = vec![
        File { path: "assets/site.css".to_owned(), text: STYLE.to_owned() },
        File { path: "assets/site.js".to_owned(), text: SCRIPT.to_owned() },
        File { path: "assets/index.js".to_owned(), text: search::script(atlas)? },
        site.overview()?,
        page("models.html", ModelsPage { chrome: site.chrome("", "models"), atlas })?,
        page("contracts.html", ContractsPage { chrome: site.chrome("", "contracts"), atlas })?,
        page(
            "personal.html",
            PersonalPage { chrome: site.chrome("", "personal"), atlas, unused: atlas.sensitive_without_field() },
        )?,
    ];
    if let Some(since) = since {
        files.push(page("changes.html", ChangesPage { chrome: site.chrome("", "changes"), atlas, since })?);
    }
    files.extend(site.attributes()?);
    for at in 0..atlas.models.len() {
        files.push(site.model(at)?);
    }
    for contract in &atlas.contracts {
        files.push(site.contract(contract)?);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn page(path: &str, template: impl Template) -> Result<File, askama::Error> {
    let text = template.render()?;
    Ok(File { path: path.to_owned(), text: without_blank_lines(&text) })
}

/// A page without the blank lines of its template, which say nothing. Those between `<pre>` and `</pre>` are code and stay.
fn without_blank_lines(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in page.lines() {
        let was_code = is_code;
        // Code is escaped, so these are elements.
        match (line.rfind("<pre"), line.rfind("</pre>")) {
            (None, None) => {}
            (begin, end) => is_code = begin > end,
        }
        if was_code || is_code || !line.trim().is_empty() {
            text += line;
            text.push('\n');
        }
    }
    text
}

struct Site<'s> {
    atlas: &'s Atlas,
    has_changes: bool,
}

impl<'s> Site<'s> {
    fn chrome(&self, root: &'static str, here: &'static str) -> Chrome<'s> {
        Chrome { title: &self.atlas.title, root, here, has_changes: self.has_changes }
    }

    fn overview(&self) -> Result<File, askama::Error> {
        let atlas = self.atlas;
        let diagram = Diagram::overview(atlas);
        let svg =
            if diagram.is_empty() { String::new() } else { diagram.svg(atlas, "", "Models and what they refer to")? };
        let overview = Overview {
            chrome: self.chrome("", "overview"),
            atlas,
            svg,
            shown: diagram.len(),
            all: diagram.all,
            is_short: atlas.models.len() <= SHORT,
        };
        page("index.html", overview)
    }

    fn model(&self, at: usize) -> Result<File, askama::Error> {
        let atlas = self.atlas;
        let model = &atlas.models[at];
        let diagram = Diagram::around(atlas, at);
        let svg = if diagram.is_empty() {
            String::new()
        } else {
            diagram.svg(atlas, "../", &format!("What {} refers to, and what refers to it", model.name))?
        };
        let points_to = model.points_to.iter().map(|lookup| {
            let href = atlas.place_of(&lookup.to).map(|place| format!("../{place}.html"));
            (lookup.field.as_str(), lookup.anchor.as_str(), Link { text: atlas.name_of(&lookup.to).to_owned(), href })
        });
        let pointed_at = model.pointed_at.iter().map(|lookup| {
            let from = &atlas.models[lookup.from];
            (from.name.as_str(), format!("{}.html#{}", from.slug, lookup.anchor), lookup.field.as_str())
        });
        let content = ModelPage {
            chrome: self.chrome("../", "models"),
            model,
            svg,
            shown: diagram.len(),
            all: diagram.all,
            points_to: points_to.collect(),
            pointed_at: pointed_at.collect(),
        };
        page(&format!("models/{}.html", model.slug), content)
    }

    fn contract(&self, contract: &Contract) -> Result<File, askama::Error> {
        let content = ContractPage {
            chrome: self.chrome("../", "contracts"),
            atlas: self.atlas,
            contract,
            groups: contract.groups(),
        };
        page(&format!("contracts/{}.html", contract.slug), content)
    }

    /// The reverse index, in parts if it is long.
    fn attributes(&self) -> Result<Vec<File>, askama::Error> {
        let chunks: Vec<&[NamedAttribute]> = match self.atlas.attributes.as_slice() {
            [] => vec![&[]],
            all => all.chunks(NAMES_MAX).collect(),
        };
        let parts: Vec<_> = chunks
            .iter()
            .enumerate()
            .map(|(at, chunk)| Part {
                path: if at == 0 { "attributes.html".to_owned() } else { format!("attributes/{}.html", at + 1) },
                first: chunk.first().map(|attribute| attribute.name.clone()).unwrap_or_default(),
                last: chunk.last().map(|attribute| attribute.name.clone()).unwrap_or_default(),
            })
            .collect();
        let pages = chunks.iter().zip(&parts).enumerate().map(|(at, (attributes, part))| {
            let root = if at == 0 { "" } else { "../" };
            let chrome = self.chrome(root, "attributes");
            let heading = if at == 0 { "Attributes".to_owned() } else { format!("Attributes, part {}", at + 1) };
            page(&part.path, AttributesPage { chrome, heading: &heading, parts: &parts, at, attributes })
        });
        pages.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::without_blank_lines;

    #[test]
    fn blank_lines_stay_in_code_alone() {
        let page =
            "<p>a</p>\n\n<pre>b</pre>\n\n<pre><code>c\n\n  d</code></pre>\n \n<pre>e\n\n</pre><pre>\n\n</pre>\n\n";
        let expected = "<p>a</p>\n<pre>b</pre>\n<pre><code>c\n\n  d</code></pre>\n<pre>e\n\n</pre><pre>\n\n</pre>\n";
        assert_eq!(without_blank_lines(page), expected);
    }
}
