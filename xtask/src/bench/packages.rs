//! The compared packages: a workspace under `target` that depends on this one by path.

use std::fs;
use std::path::{Path, PathBuf};

use super::models::Model;

/// How a package defines its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Models that derive `CdmsSynced`.
    Ours,
    /// `diesel::table!` and Diesel's derives.
    ByHand,
}

impl Form {
    pub(super) const BOTH: [Form; 2] = [Form::Ours, Form::ByHand];

    fn name(self) -> &'static str {
        match self {
            Form::Ours => "ours",
            Form::ByHand => "by-hand",
        }
    }

    fn dependencies(self, root: &Path) -> String {
        let diesel = r#"diesel = { version = "2.3", default-features = false, features = ["sqlite", "chrono"] }"#;
        match self {
            Form::Ours => {
                let runtime = root.join("datahub-runtime");
                // What a model's own file names. The expansion finds Diesel in the runtime; the application's own
                // tables need it as a dependency.
                format!(
                    "datahub-runtime = {{ path = {runtime:?} }}\nrust_decimal = {{ version = \"1\", default-features = \
                     false }}\nchrono = {{ version = \"0.4\", default-features = false }}\n{diesel}\n"
                )
            }
            Form::ByHand => format!("chrono = {{ version = \"0.4\", default-features = false }}\n{diesel}\n"),
        }
    }
}

/// The written packages.
pub(super) struct Packages {
    folder: PathBuf,
    sizes: Vec<u16>,
}

impl Packages {
    /// Writes a package of each form for each number of models.
    pub(super) fn write(sizes: &[u16]) -> Result<Self, String> {
        let mut sizes = sizes.to_vec();
        sizes.sort_unstable();
        sizes.dedup();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        let packages = Packages { folder: root.join("target/bench"), sizes };
        let members: Vec<_> =
            packages.sizes.iter().flat_map(|size| Form::BOTH.map(|form| format!("{:?}", name(form, *size)))).collect();
        let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", "));
        packages.put("Cargo.toml", &workspace)?;
        // The same versions as here, so that nothing is resolved again or built in two versions.
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, packages.folder.join("Cargo.lock")).map_err(|error| format!("{}: {error}", lock.display()))?;
        packages.put("datahub.toml", "# The root of the benchmark's contracts.\n")?;
        for number in 1..=packages.largest() {
            let model = Model::new(number);
            packages.put(&format!("mappings/{}.toml", model.module()), &model.contract())?;
        }
        for size in &packages.sizes {
            for form in Form::BOTH {
                packages.package(form, *size, root)?;
            }
        }
        Ok(packages)
    }

    fn package(&self, form: Form, size: u16, root: &Path) -> Result<(), String> {
        let name = name(form, size);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{}",
            form.dependencies(root)
        );
        self.put(&format!("{name}/Cargo.toml"), &manifest)?;
        let models: Vec<_> = (1..=size).map(Model::new).collect();
        let modules: String = models.iter().map(|model| format!("pub mod {};\n", model.module())).collect();
        self.put(&format!("{name}/src/lib.rs"), &format!("//! {size} models.\n\n{modules}"))?;
        for model in models {
            let text = if form == Form::Ours { model.ours() } else { model.by_hand() };
            self.put(&format!("{name}/src/{}.rs", model.module()), &text)?;
        }
        Ok(())
    }

    /// The numbers of models, in ascending order.
    pub(super) fn sizes(&self) -> &[u16] {
        &self.sizes
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of our largest package, with its models.
    pub(super) fn largest_models(&self) -> PathBuf {
        self.folder.join(name(Form::Ours, self.largest())).join("src")
    }

    /// The file of a package's first model.
    pub(super) fn first_model(&self, package: &str) -> PathBuf {
        self.folder.join(package).join("src").join(format!("{}.rs", Model::new(1).module()))
    }

    fn largest(&self) -> u16 {
        self.sizes.last().copied().unwrap_or(1)
    }

    /// Writes a file unless its text is unchanged: untouched files are not built again.
    fn put(&self, path: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(path);
        let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(failed)?;
        fs::write(&path, text).map_err(failed)
    }
}

/// A package's name.
pub(super) fn name(form: Form, size: u16) -> String {
    format!("{}-{size}", form.name())
}
