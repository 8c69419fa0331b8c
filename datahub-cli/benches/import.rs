//! How long `datahub import` takes for as many entities as a real organisation has, files included. `cargo xtask bench import`
//! runs it.
#![allow(clippy::print_stdout, reason = "the numbers are for the person who runs this")]
#![allow(clippy::unwrap_used, reason = "a bench whose files cannot be written has nothing to measure")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use cdms_odata::metadata::{EdmType, EntityType, Metadata, Property};

/// As a real organisation has them.
const ENTITIES: usize = 374;

/// The attributes of an entity, as many as a real one has on average.
const ATTRIBUTES: usize = 27;

/// The types of attributes, in turn.
const TYPES: [EdmType; 10] = [
    EdmType::EntityReference,
    EdmType::String,
    EdmType::Int32,
    EdmType::DateTime,
    EdmType::OptionSetValue,
    EdmType::Guid,
    EdmType::Boolean,
    EdmType::Money,
    EdmType::Decimal,
    EdmType::Double,
];

const ROUNDS: usize = 9;

fn main() {
    // `cargo test --benches` runs this too, to see that it works, and once.
    let is_bench = env::args().any(|argument| argument == "--bench");
    let rounds = if is_bench { ROUNDS } else { 1 };
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("metadata.xml");
    fs::write(&document, metadata().to_xml()).unwrap();
    let first = (0..rounds).map(|round| {
        let project = project(folder.path(), &format!("first{round}"));
        import(&project, &[document.to_str().unwrap(), "--all"])
    });
    report("imported for the first time", first.collect());
    let project = project(folder.path(), "again");
    import(&project, &[document.to_str().unwrap(), "--all"]);
    let again = (0..rounds).map(|_| import(&project, &[document.to_str().unwrap()]));
    report("imported again, unchanged", again.collect());
    report("imported with first models", vec![import(&project, &["--model"])]);
}

fn project(folder: &Path, name: &str) -> std::path::PathBuf {
    let project = folder.join(name);
    fs::create_dir_all(project.join("src")).unwrap();
    fs::write(project.join("datahub.toml"), "metadata = \"mappings/metadata.xml\"\n").unwrap();
    project
}

fn import(project: &Path, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    let run = command.arg("import").args(arguments).current_dir(project).stdout(Stdio::null()).status().unwrap();
    assert!(run.success(), "{run}");
    begun.elapsed()
}

fn report(what: &str, mut rounds: Vec<Duration>) {
    rounds.sort_unstable();
    let ms = |round: Duration| round.as_secs_f64() * 1e3;
    let (fastest, median) = (ms(rounds[0]), ms(rounds[rounds.len() / 2]));
    println!("{ENTITIES} entities {what}: {median:.0} ms (median), {fastest:.0} ms (fastest round); goal 1000 ms");
}

/// A document of entities with attributes of every type.
fn metadata() -> Metadata {
    let entities = (0..ENTITIES).map(|number| {
        let name = format!("bench_entity{number}");
        let key = format!("{name}Id");
        let mut properties = vec![
            Property::new(key.as_str(), EdmType::Guid),
            Property::new("ModifiedOn", EdmType::DateTime),
            Property::new("CreatedOn", EdmType::DateTime),
            Property::new("ModifiedBy", EdmType::EntityReference),
        ];
        properties[0].nullable = false;
        for attribute in 0..ATTRIBUTES {
            let edm = TYPES[(number + attribute) % TYPES.len()];
            properties.push(Property::new(format!("bench_Attribute{attribute}"), edm));
        }
        EntityType { set: format!("{name}Set"), name, key, properties, navigation: Vec::new() }
    });
    let namespace = "Microsoft.Crm.Sdk.Data.Services".to_owned();
    Metadata { namespace, entities: entities.collect(), ..Metadata::default() }
}
