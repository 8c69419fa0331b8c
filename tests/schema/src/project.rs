//! What is written for a whole document: a contract for each entity, and the models in a few batches.

use std::path::Path;
use std::{fs, io};

use cdms_odata::metadata::{EntityType, Metadata};

use crate::census::Census;
use crate::mapping::{DIESEL_COLUMNS, Named, can_be_followed, write};
use crate::names::Names;

/// How many batches the models are compiled in: each is a test program of its own.
pub const BATCHES: usize = 4;

/// The project of a document.
#[derive(Clone, Debug)]
pub struct Project {
    /// The contracts' files with their text, those of entities that have no model too.
    pub contracts: Vec<(String, String)>,
    /// The models' source.
    pub batches: Vec<String>,
    /// What became of the document's entities and attributes.
    pub census: Census,
}

impl Project {
    /// The project of a document.
    pub fn of(metadata: &Metadata) -> Self {
        let (mut tables, mut structures) = (Names::default(), Names::default());
        let mut project = Project { contracts: Vec::new(), batches: Vec::new(), census: Census::default() };
        for entities in batches(metadata) {
            let named = entities.iter().map(|entity| Named {
                entity,
                structure: structures.structure(&entity.name),
                table: tables.table(&entity.name),
            });
            let named: Vec<_> = named.collect();
            let (followed, others): (Vec<_>, Vec<_>) =
                named.into_iter().partition(|named| can_be_followed(named.entity));
            let mut source = String::new();
            for named in followed.iter().chain(&others) {
                let written = write(named, &followed, &mut project.census);
                project.contracts.push((named.file(), written.contract));
                source.push_str(written.model.as_deref().unwrap_or_default());
            }
            let listed: Vec<_> = followed.iter().map(|named| named.structure.as_str()).collect();
            let listed = listed.join(", ");
            source.push_str(&format!("pub fn all() -> datahub_runtime::Models {{\n    models![{listed}]\n}}\n"));
            project.batches.push(source);
        }
        project
    }

    /// Writes it into a folder, with the document as its snapshot.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write_to(&self, folder: &Path, document: &str) -> io::Result<()> {
        let mappings = folder.join("mappings");
        fs::create_dir_all(&mappings)?;
        let settings = format!("metadata = \"mappings/metadata.xml\"\ndiesel-columns = {DIESEL_COLUMNS}\n");
        fs::write(folder.join("datahub.toml"), settings)?;
        fs::write(mappings.join("metadata.xml"), document)?;
        for (file, text) in &self.contracts {
            fs::write(mappings.join(file), text)?;
        }
        for (number, source) in self.batches.iter().enumerate() {
            fs::write(folder.join(format!("batch_{}.rs", number + 1)), source)?;
        }
        Ok(())
    }
}

/// The document's entities in batches that have about as many attributes each.
fn batches(metadata: &Metadata) -> Vec<Vec<&EntityType>> {
    let mut batches: Vec<(usize, Vec<&EntityType>)> = vec![(0, Vec::new()); BATCHES];
    for entity in &metadata.entities {
        if let Some((attributes, least)) = batches.iter_mut().min_by_key(|(attributes, _)| *attributes) {
            *attributes += entity.properties.len();
            least.push(entity);
        }
    }
    batches.into_iter().map(|(_, entities)| entities).collect()
}
