//! A panic of a derive becomes an error that asks for a bug report.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::TokenStream;
use quote::quote;

/// An expansion; a panic becomes an error that asks for a bug report.
pub(crate) fn guarded(derive: &str, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    catch_unwind(AssertUnwindSafe(expand)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown panic");
        let message = format!(
            "internal error in #[derive({derive})]: {message}\n\
             help: this is a bug in Data Hub Sync; please report it with the struct and its contract"
        );
        quote!(::core::compile_error!(#message);)
    })
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_asks_for_a_report() {
        let text = guarded("CdmsSynced", || panic!("column {} is gone", 3)).to_string();
        assert!(text.contains("column 3 is gone") && text.contains("please report it"), "{text}");
        let text = guarded("CdmsSynced", || {
            quote::quote!(
                struct Fine;
            )
        })
        .to_string();
        assert_eq!(text, "struct Fine ;");
    }
}
