//! A derive that fails by its own fault says so, instead of leaving its user with a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::TokenStream;
use quote::quote;

/// An expansion; a panic becomes an error that asks for a report.
pub(crate) fn guarded(derive: &str, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    catch_unwind(AssertUnwindSafe(expand)).unwrap_or_else(|panic| {
        let told = panic.downcast_ref::<String>().map(String::as_str);
        let told = told.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("nothing is known of it");
        let message = format!(
            "#[derive({derive})] itself has failed: {told}\n\
             help: this is a bug of Data Hub Sync and no fault of yours; please report it with the struct and its contract"
        );
        quote!(::core::compile_error!(#message);)
    })
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_asks_for_a_report() {
        let told = guarded("CdmsSynced", || panic!("column {} is gone", 3)).to_string();
        assert!(told.contains("column 3 is gone") && told.contains("please report it"), "{told}");
        let told = guarded("CdmsSynced", || {
            quote::quote!(
                struct Fine;
            )
        })
        .to_string();
        assert_eq!(told, "struct Fine ;");
    }
}
