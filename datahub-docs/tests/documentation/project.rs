//! Small projects to document, written to a folder and read as `datahub` reads them.

use std::fs;

use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_docs::Atlas;

pub(crate) const ACCOUNT: &str = r#"entity = "Account"

[attributes]
Name = { kind = "string", max-length = 160, required = true }
Alias = { kind = "string", max-length = 40 }
EMail = { kind = "string", class = "personal" }
Revenue = { kind = "money", note = "in pounds" }
Founded = { kind = "date", zone = "Europe/London" }
IndustryCode = { kind = "choice", choices = { accounting = 1, agriculture = 2 } }
ParentId = { kind = "lookup", target = "account" }
CountryId = { kind = "lookup", target = "country" }
First = { kind = "string" }
Last = { kind = "string" }
Town = { kind = "string" }
PostCode = { kind = "string" }
Source = { kind = "string" }
Size = { kind = "integer" }

[groups.address]
town = "Town"
postcode = "PostCode"

[constants]
Source = "Data Hub"

[unmapped]
Fax = "nobody has one"
"#;

pub(crate) const COUNTRY: &str =
    "entity = \"Country\"\n\n[attributes]\nName = { kind = \"string\", required = true }\n";

pub(crate) const MODELS: &str = r##"//! Models.

/// A company. It trades.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "companies", only = "Size gt 5", diesel(table = false))]
pub struct Company {
    #[cdms(key)]
    pub id: Id<Company>,
    /// Its *legal* name.
    #[cdms("Name", create_only)]
    pub name: String,
    #[cdms("Alias", default = "none")]
    pub alias: String,
    #[cdms("EMail")]
    pub email: Option<String>,
    #[cdms("Founded")]
    pub founded: Option<NaiveDate>,
    #[cdms("IndustryCode")]
    pub industry: Option<Industry>,
    #[cdms("ParentId")]
    pub parent: Option<Id<Company>>,
    #[cdms("CountryId")]
    pub country: Option<Id<Country>>,
    #[cdms(attributes("First", "Last"), with = "owner", sql_type = "string")]
    pub owner: Option<String>,
    #[cdms(flatten = "address")]
    pub address: Address,
    #[cdms(modified)]
    pub changed_at: DateTime<Utc>,
    #[cdms(local, sql_type = "integer", class = "public", was = "stars")]
    pub rating: i32,
}

/// A country.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror", diesel(table = false))]
pub struct Country {
    #[cdms(key)]
    pub id: Id<Country>,
    #[cdms("Name")]
    pub name: String,
}

/// Where a company is.
#[derive(Clone, CdmsFields)]
pub struct Address {
    #[cdms("town", default)]
    pub city: String,
    /// As the post office writes it.
    pub postcode: Option<String>,
}

/// What a company does.
#[derive(Clone, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
pub enum Industry {
    Accounting,
    Agriculture,
    #[cdms(other)]
    Other(i32),
}
"##;

/// What `$metadata` says: two attributes of `Account` are in no contract.
pub(crate) fn metadata() -> String {
    let attributes = [
        ("Name", "Edm.String"),
        ("Alias", "Edm.String"),
        ("EMail", "Edm.String"),
        ("Revenue", "Ns.Money"),
        ("Founded", "Edm.DateTime"),
        ("IndustryCode", "Ns.OptionSetValue"),
        ("ParentId", "Ns.EntityReference"),
        ("CountryId", "Ns.EntityReference"),
        ("First", "Edm.String"),
        ("Last", "Edm.String"),
        ("Town", "Edm.String"),
        ("PostCode", "Edm.String"),
        ("Source", "Edm.String"),
        ("Size", "Edm.Int32"),
        ("Fax", "Edm.String"),
        ("Telex", "Edm.String"),
        ("Pager", "Edm.String"),
    ];
    let entity = |name: &str, attributes: &[(&str, &str)]| {
        let own = [("ModifiedOn", "Edm.DateTime"), ("CreatedOn", "Edm.DateTime"), ("ModifiedBy", "Ns.EntityReference")];
        let properties = attributes.iter().chain(&own);
        let properties: String =
            properties.map(|(name, ty)| format!("<Property Name=\"{name}\" Type=\"{ty}\"/>")).collect();
        format!(
            "<EntityType Name=\"{name}\"><Key><PropertyRef Name=\"{name}Id\"/></Key>\
             <Property Name=\"{name}Id\" Type=\"Edm.Guid\"/>{properties}</EntityType>"
        )
    };
    let set = |name: &str| format!("<EntitySet Name=\"{name}Set\" EntityType=\"Ns.{name}\"/>");
    format!(
        "<Edmx><Schema Namespace=\"Ns\">{}{}{}<EntityContainer>{}{}{}</EntityContainer></Schema></Edmx>",
        entity("Account", &attributes),
        entity("Country", &[("Name", "Edm.String")]),
        entity("Lead", &[]),
        set("Account"),
        set("Country"),
        set("Lead"),
    )
}

/// The tree of a project with these files; it has no fault.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    let metadata = metadata();
    let always = [("datahub.toml", "metadata = 'mappings/metadata.xml'"), ("mappings/metadata.xml", metadata.as_str())];
    for (name, text) in always.iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::read(&Project::open(folder.path()).unwrap()).unwrap();
    let faults: Vec<_> = tree.faults.iter().map(|fault| fault.diagnostic.render(&fault.file)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    tree
}

/// The tree of the project above.
pub(crate) fn whole() -> Tree {
    with(ACCOUNT, MODELS)
}

/// The tree of the project above with another contract of accounts, or with other models.
pub(crate) fn with(account: &str, models: &str) -> Tree {
    tree(&[("mappings/account.toml", account), ("mappings/country.toml", COUNTRY), ("src/lib.rs", models)])
}

pub(crate) fn atlas() -> Atlas {
    Atlas::new("Firms", &whole())
}
