//! `migrations!`: a project's migrations as part of the program.

use std::path::{Path, PathBuf};

use datahub_derive::project::{Package, Project};
use datahub_migrate::{FoundFolder, Migration, Phase, order, statements};
use datahub_model::schema::Database;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Token};

/// What stands in the brackets: nothing, or `crate = path` for a renamed runtime.
struct Input {
    krate: syn::Path,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Input { krate: syn::parse_quote!(::datahub_runtime) });
        }
        if !input.peek(Token![crate]) {
            let message = "`migrations!` takes no folder: `migrations` in datahub.toml names it";
            return Err(input.error(message));
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        Ok(Input { krate: input.parse()? })
    }
}

/// The expression that `migrations!` stands for.
pub(crate) fn expand(input: TokenStream, package: &Package) -> TokenStream {
    let here = |message: String| Error::new(Span::call_site(), message);
    let expanded = syn::parse2::<Input>(input).and_then(|input| {
        let project = Project::of(package).map_err(here)?;
        embed(&input.krate, &project, package).map_err(here)
    });
    expanded.unwrap_or_else(|error| error.to_compile_error())
}

fn embed(krate: &syn::Path, project: &Project, package: &Package) -> Result<TokenStream, String> {
    let mut files = vec![project.file()];
    // Each plan changes these two, so a new folder is noticed.
    files.extend(
        ["HEAD", "schema.toml"].map(|name| project.migrations().join(name)).into_iter().filter(|file| file.is_file()),
    );
    let mut constants = TokenStream::new();
    for (database, name) in [(Database::Sqlite, "SQLITE"), (Database::Postgres, "POSTGRES")] {
        let migrations = read(project, database, &mut files)?;
        let (parts, items): (Vec<_>, Vec<_>) =
            migrations.iter().enumerate().map(|(at, migration)| embedded(&format!("{name}_{at}"), migration)).unzip();
        let name = format_ident!("{name}");
        constants.extend(quote! {
            #(#parts)*
            const #name: &[__migration::Migration] = &[#(#items),*];
        });
    }
    let tracking = datahub_derive::tracking(package, &files);
    Ok(quote! {
        {
            use #krate::migration as __migration;
            #tracking
            #constants
            __migration::Migrations::embedded(SQLITE, POSTGRES)
        }
    })
}

/// The migrations of a database, in order.
fn read(project: &Project, database: Database, files: &mut Vec<PathBuf>) -> Result<Vec<Migration>, String> {
    let folders = project.migration_folders(database).map_err(|error| error.to_string())?;
    let exists = |path: &Path| path.is_file().then(|| path.to_path_buf());
    for folder in &folders {
        files.extend(["up.sql", "metadata.toml"].into_iter().filter_map(|name| exists(&folder.path.join(name))));
    }
    let found =
        folders.into_iter().map(|folder| FoundFolder { name: folder.name, up: folder.up, metadata: folder.metadata });
    order(found).map_err(|unreadable| {
        let faults: Vec<_> = unreadable.iter().map(ToString::to_string).collect();
        format!("the migrations cannot be embedded: {}", faults.join("\n"))
    })
}

/// A migration as an expression, and the constants that it refers to, whose names begin with this one.
fn embedded(prefix: &str, migration: &Migration) -> (TokenStream, TokenStream) {
    let [sql, epochs, checks, replaced] =
        ["SQL", "EPOCHS", "CHECKS", "REPLACES"].map(|part| format_ident!("{prefix}_{part}"));
    let cow = quote!(::std::borrow::Cow);
    let statements = statements(&migration.up);
    let raised = migration.metadata.epochs.iter().map(|(table, epoch)| quote!((#cow::Borrowed(#table), #epoch)));
    let asked = migration.metadata.checks.iter().map(|check| {
        let (description, query) = (&check.description, &check.query);
        quote!(__migration::MigrationCheck { description: #cow::Borrowed(#description), query: #cow::Borrowed(#query) })
    });
    let replaces = migration.replaces();
    let parts = quote! {
        const #sql: &[#cow<'static, str>] = &[#(#cow::Borrowed(#statements)),*];
        const #epochs: &[(#cow<'static, str>, u32)] = &[#(#raised),*];
        const #checks: &[__migration::MigrationCheck] = &[#(#asked),*];
        const #replaced: &[#cow<'static, str>] = &[#(#cow::Borrowed(#replaces)),*];
    };
    let (name, plan, in_transaction) = (&migration.name, migration.plan(), migration.metadata.run_in_transaction);
    let phase = match migration.phase() {
        Phase::Expand => quote!(Expand),
        Phase::Contract => quote!(Contract),
    };
    let item = quote! {
        __migration::Migration {
            name: #cow::Borrowed(#name),
            plan: #cow::Borrowed(#plan),
            phase: __migration::Phase::#phase,
            in_transaction: #in_transaction,
            statements: #cow::Borrowed(#sql),
            epochs: #cow::Borrowed(#epochs),
            checks: #cow::Borrowed(#checks),
            replaces: #cow::Borrowed(#replaced),
        }
    };
    (parts, item)
}
