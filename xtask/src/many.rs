//! A project of the size of a real CDMS: as many contracts and models as an organisation has entities, each different, and the
//! same on every run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// How many entities a real organisation has.
pub(crate) const ENTITIES: usize = 374;

/// How many attributes of an entity no contract mentions.
const NOT_MENTIONED: usize = 36;

const THINGS: [&str; 24] = [
    "account", "adviser", "asset", "branch", "campaign", "claim", "contact", "country", "event", "export", "grant",
    "invoice", "letter", "market", "meeting", "office", "partner", "product", "project", "quote", "region", "sector",
    "supplier", "visit",
];
const ROLES: [&str; 16] = [
    "record", "note", "line", "kind", "role", "status", "history", "budget", "target", "review", "plan", "report",
    "member", "owner", "link", "survey",
];

/// One entity.
struct Entity {
    thing: &'static str,
    role: &'static str,
    at: usize,
}

impl Entity {
    fn at(at: usize) -> Self {
        Entity { thing: THINGS[at % THINGS.len()], role: ROLES[at / THINGS.len() % ROLES.len()], at }
    }

    /// The entity's type, which is its logical name too.
    fn name(&self) -> String {
        format!("optevia_{}{}", self.thing, self.role)
    }

    fn model(&self) -> String {
        let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
        format!("{}{}", upper(self.thing), upper(self.role))
    }

    fn module(&self) -> String {
        format!("{}_{}", self.thing, self.role)
    }

    /// The entities that its lookups refer to: a popular one, a neighbour, and itself.
    fn targets(&self, all: usize) -> [(&'static str, Entity); 3] {
        [
            ("optevia_Main", Entity::at(self.at % 9 % all)),
            ("optevia_Next", Entity::at((self.at + 7) % all)),
            ("optevia_Parent", Entity::at(self.at)),
        ]
    }

    fn contract(&self, all: usize) -> String {
        let lookups = self
            .targets(all)
            .map(|(name, target)| format!("{name} = {{ kind = \"lookup\", target = \"{}\" }}\n", target.name()));
        format!(
            "# The {thing}'s {role}.\nentity = \"{name}\"\n\n[attributes]\n\
             optevia_Name = {{ kind = \"string\", max-length = 160, required = true }}\n\
             optevia_Comments = {{ kind = \"string\", max-length = 2000, class = \"personal\", note = \"free text\" }}\n\
             optevia_Reference = {{ kind = \"string\", max-length = 40 }}\n\
             optevia_Address1 = {{ kind = \"string\", max-length = 250 }}\n\
             optevia_TownCity = {{ kind = \"string\", max-length = 100 }}\n\
             optevia_PostCode = {{ kind = \"string\", max-length = 20 }}\n\
             optevia_Count = {{ kind = \"integer\" }}\n\
             optevia_Rate = {{ kind = \"decimal\", scale = 4 }}\n\
             optevia_CreditLimit = {{ kind = \"money\" }}\n\
             optevia_IsActive = {{ kind = \"boolean\" }}\n\
             optevia_StartDate = {{ kind = \"date\", zone = \"Europe/London\" }}\n\
             optevia_OpenedOn = {{ kind = \"datetime\" }}\n\
             optevia_Industry = {{ kind = \"choice\", choices = {{ accounting = 1, agriculture = 2, broadcasting = 3, \
             brokers = 4, building_supplies = 5 }} }}\n{lookups}\n\
             [groups.address]\nline_1 = \"optevia_Address1\"\ntown = \"optevia_TownCity\"\npostcode = \"optevia_PostCode\"\n\n\
             [unmapped]\noptevia_Unused1 = \"not used any more\"\n",
            thing = self.thing,
            role = self.role,
            name = self.name(),
            lookups = lookups.concat(),
        )
    }

    fn code(&self, all: usize) -> String {
        let lookups = self.targets(all).map(|(name, target)| {
            let field = name.trim_start_matches("optevia_").to_lowercase();
            format!("    #[cdms(\"{name}\")]\n    pub {field}_record: Option<Id<{}>>,\n", target.model())
        });
        format!(
            "//! The {thing}'s {role}.\n\n/// The {role} of a {thing}.\n///\n/// Entity {at} of many.\n\
             #[derive(Clone, Debug, PartialEq, CdmsSynced)]\n#[cdms(mapping = \"{module}.toml\", table = \"{module}s\")]\n\
             pub struct {model} {{\n    #[cdms(key)]\n    pub id: Id<{model}>,\n    #[cdms(\"optevia_Name\")]\n    pub name: String,\n\
             \x20   /// What people wrote.\n    #[cdms(\"optevia_Comments\", default)]\n    pub comments: String,\n\
             \x20   #[cdms(flatten = \"address\")]\n    pub address: Address,\n\
             \x20   #[cdms(\"optevia_Rate\")]\n    pub rate: Option<Decimal>,\n\
             \x20   #[cdms(\"optevia_CreditLimit\")]\n    pub credit_limit: Option<Decimal>,\n\
             \x20   #[cdms(\"optevia_IsActive\", default = false)]\n    pub is_active: bool,\n\
             \x20   #[cdms(\"optevia_StartDate\")]\n    pub start_date: Option<NaiveDate>,\n\
             \x20   #[cdms(\"optevia_OpenedOn\")]\n    pub opened_on: Option<DateTime<Utc>>,\n\
             \x20   #[cdms(\"optevia_Industry\")]\n    pub industry: Option<i32>,\n{lookups}\
             \x20   #[cdms(local, sql_type = \"string\")]\n    pub our_notes: Option<String>,\n}}\n",
            thing = self.thing,
            role = self.role,
            at = self.at + 1,
            module = self.module(),
            model = self.model(),
            lookups = lookups.concat(),
        )
    }

    fn metadata(&self, all: usize) -> String {
        let name = self.name();
        let mut text = format!(
            "<EntityType Name=\"{name}\">\n<Key><PropertyRef Name=\"{name}Id\"/></Key>\n<Property Name=\"{name}Id\" \
             Type=\"Edm.Guid\" Nullable=\"false\"/>\n"
        );
        let mut property = |name: &str, kind: &str| {
            let kind = if kind.starts_with("Edm.") { kind.to_owned() } else { format!("Many.{kind}") };
            _ = writeln!(text, "<Property Name=\"{name}\" Type=\"{kind}\" Nullable=\"true\"/>");
        };
        for (attribute, kind) in [
            ("optevia_Name", "Edm.String"),
            ("optevia_Comments", "Edm.String"),
            ("optevia_Reference", "Edm.String"),
            ("optevia_Address1", "Edm.String"),
            ("optevia_TownCity", "Edm.String"),
            ("optevia_PostCode", "Edm.String"),
            ("optevia_Count", "Edm.Int32"),
            ("optevia_Rate", "Edm.Decimal"),
            ("optevia_CreditLimit", "Money"),
            ("optevia_IsActive", "Edm.Boolean"),
            ("optevia_StartDate", "Edm.DateTime"),
            ("optevia_OpenedOn", "Edm.DateTime"),
            ("optevia_Industry", "OptionSetValue"),
            ("optevia_Unused1", "Edm.String"),
            ("CreatedOn", "Edm.DateTime"),
            ("ModifiedOn", "Edm.DateTime"),
            ("ModifiedBy", "EntityReference"),
        ] {
            property(attribute, kind);
        }
        for (attribute, _) in self.targets(all) {
            property(attribute, "EntityReference");
        }
        for number in 0..NOT_MENTIONED {
            property(&format!("optevia_{}Detail{number}", self.thing), "Edm.String");
        }
        text + "</EntityType>\n"
    }
}

/// Writes a project with this number of entities, their contracts and their models to a folder, which is emptied before.
pub(crate) fn write(folder: &Path, entities: usize) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    for part in ["mappings", "src"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let put = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    put("datahub.toml", "metadata = \"mappings/metadata.xml\"\n".to_owned())?;
    put("Cargo.toml", "[package]\nname = \"many\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ndiesel = \"2.3\"\n\n[workspace]\n".to_owned())?;
    put("src/address.rs", ADDRESS.to_owned())?;
    let mut types = String::new();
    for at in 0..entities {
        let entity = Entity::at(at);
        put(&format!("mappings/{}.toml", entity.module()), entity.contract(entities))?;
        put(&format!("src/{}.rs", entity.module()), entity.code(entities))?;
        types += &entity.metadata(entities);
    }
    let sets = (0..entities)
        .map(Entity::at)
        .map(|entity| format!("<EntitySet Name=\"{0}Set\" EntityType=\"Many.{0}\"/>\n", entity.name()));
    let document = format!(
        "<Edmx><Schema Namespace=\"Many\">\n{types}<EntityContainer Name=\"ManyContext\">\n{}</EntityContainer></Schema></Edmx>\n",
        sets.collect::<String>()
    );
    put("mappings/metadata.xml", document)
}

const ADDRESS: &str = r#"//! Addresses.

/// A postal address.
#[derive(Clone, Debug, PartialEq, CdmsFields)]
pub struct Address {
    /// The first line.
    pub line_1: Option<String>,
    #[cdms(default)]
    pub town: String,
    pub postcode: Option<String>,
}
"#;

#[cfg(test)]
mod tests {
    use super::{ENTITIES, Entity};

    #[test]
    fn names_are_unlike() {
        let mut names: Vec<_> = (0..ENTITIES).map(|at| Entity::at(at).module()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ENTITIES);
    }
}
