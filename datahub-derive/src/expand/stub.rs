//! Replaces a model that has faults, so that one fault neither causes nor hides others.

use datahub_model::source::{Contract, Faulty};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, parse_quote};

use super::resolved::{Resolved, shape_of};
use super::table::Column;
use super::{checks, descriptor, diesel, handles, inside, runtime, table};
use crate::shown::Words;
use crate::synced::Model;

/// What is known of a model in spite of its faults.
#[derive(Default)]
pub(crate) struct Stub<'i> {
    /// `crate = …`.
    pub(crate) krate: Option<Path>,
    /// The logical name, if the contract could be read.
    pub(crate) logical: Option<String>,
    /// The table, if it is stated.
    pub(crate) table: Option<String>,
    /// The fields, if there are any.
    pub(crate) partly: Option<Partly<'i>>,
}

/// The fields of a faulty model, joined to its contract as far as that goes.
pub(crate) struct Partly<'i> {
    pub(crate) model: Model<'i>,
    pub(crate) contract: Contract,
    pub(crate) faulty: Faulty<Words>,
}

/// Implementations with as much as is known, marked as stubs; the errors next to them prevent that they are ever built. Also the
/// compiler's checks of the fields without faults, so that their faults are reported along with the others.
pub(crate) fn stub(item: &DeriveInput, known: Stub<'_>) -> TokenStream {
    let krate = runtime(known.krate);
    let rest = known.partly.as_ref().map(|partly| {
        let table = known.table.as_deref().filter(|_| partly.faulty.has_table);
        let table = table.map(|name| (name, Column::guessed(&partly.model, &partly.faulty)));
        let fields = item.generics.params.is_empty().then(|| fields(partly, table.as_ref(), &krate));
        let table = table.map(|(name, columns)| table::table(&partly.model, name, &columns));
        quote! { #table #fields }
    });
    let (logical, table) = (known.logical.unwrap_or_default(), known.table.unwrap_or_default());
    let name = &item.ident;
    let mut generics = item.generics.clone();
    if !generics.params.is_empty() {
        let bound = parse_quote!(Self: ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync + 'static);
        generics.make_where_clause().predicates.push(bound);
    }
    let (parameters, arguments, conditions) = generics.split_for_impl();
    // A generic parameter has no meaning outside its item.
    let partly = known.partly.as_ref().filter(|_| item.generics.params.is_empty());
    let (handles, fields) = match partly {
        None => (
            TokenStream::new(),
            quote!(
                type Fields = ();
                const FIELDS: () = ();
            ),
        ),
        Some(Partly { model, faulty, .. }) => {
            handles::handles(&krate, item, model.fields.iter().map(|field| (field, shape_of(faulty, field))))
        }
    };
    let named = name.to_string();
    let message = "this model has faults and was not derived";
    quote! {
        #[automatically_derived]
        impl #parameters #krate::Model for #name #arguments #conditions {
            const LOGICAL: &'static ::core::primitive::str = #logical;
            const IS_STUB: ::core::primitive::bool = true;
        }

        const _: () = {
            #handles

            #[automatically_derived]
            impl #parameters #krate::CdmsSynced for #name #arguments #conditions {
                const DESCRIPTOR: &'static #krate::ModelDescriptor = &#krate::faulty(#named, #table);

                #fields

                fn id(&self) -> #krate::Id<Self> {
                    ::core::unreachable!(#message)
                }

                fn from_row(_: &#krate::RowReader<'_>) -> #krate::Result<Self, #krate::Fault> {
                    #krate::Result::Err(#krate::Fault::new(#message))
                }

                fn to_row(&self, _: &mut #krate::RowWriter<'_>) {}
            }
        };

        #[automatically_derived]
        impl #parameters #krate::Writable for #name #arguments #conditions {}

        #rest
    }
}

/// The compiler's checks of the fields without faults, and Diesel's traits if there is a table.
fn fields(partly: &Partly<'_>, table: Option<&(&str, Vec<Column<'_>>)>, krate: &Path) -> TokenStream {
    let Partly { model, contract, faulty } = partly;
    let resolved = Resolved::partly(model, contract, faulty);
    let within = Model { krate: inside(), ..model.clone() };
    let traits = table.map(|(name, columns)| diesel::traits(&within, name, resolved.key(), columns));
    let (types, checks) = (checks::types(&resolved), checks::checks(&resolved));
    let columns = descriptor::columns(&resolved);
    quote! {
        #[allow(dead_code, non_upper_case_globals)]
        const _: () = {
            use #krate as __v1;

            #types
            const _: &[__v1::Column] = &[#(#columns),*];
            #traits
            #checks
        };
    }
}
