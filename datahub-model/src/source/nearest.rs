//! The name that was probably meant, for cures.

use cdms_odata::Kind;

use super::contract::Contract;
use crate::diagnostic::Cure;
pub use crate::nearest::nearest;

/// The cure that suggests the nearest name, or lists the candidates if they are few; `None` if there are none, or many.
pub(super) fn meant<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<Cure> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    let near = nearest(name, candidates.iter().copied());
    let is_few = (1..=FEW).contains(&candidates.len());
    (near.is_some() || is_few).then(|| proposed(name, near, &candidates))
}

/// The cure for the name of an attribute that a contract does not state, from those that it states.
///
/// A contract states a part of what CDMS has. So a name that it does not state may be another attribute's, and the nearest
/// stated name is only certain if `$metadata` shows that CDMS has no attribute that is meant as likely. Without a snapshot of
/// the entity, only the case of a name is corrected.
pub(super) fn meant_attribute<'c>(
    name: &str,
    stated: impl IntoIterator<Item = &'c str>,
    contract: &'c Contract,
) -> Cure {
    let stated: Vec<_> = stated.into_iter().collect();
    let near = nearest(name, stated.iter().copied());
    let in_cdms = contract.in_metadata.as_deref();
    if in_cdms.is_some_and(|names| names.iter().any(|known| known == name)) {
        let or = near.map(|near| format!(", or write `{near}`")).unwrap_or_default();
        return format!("CDMS has this attribute: state it in the contract's [attributes]{or}").into();
    }
    let Some(mut cure) = meant(name, stated.iter().copied()) else {
        return "state it in the contract's [attributes]".into();
    };
    let only_case = near.is_some_and(|near| near.to_lowercase() == name.to_lowercase());
    let of_cdms = in_cdms.into_iter().flatten().map(String::as_str);
    let all: Vec<_> = stated.iter().copied().chain(of_cdms).collect();
    let is_certain = near.is_some_and(|near| is_certain(name, near, &all)) && (only_case || in_cdms.is_some());
    cure.correction = cure.correction.filter(|_| is_certain);
    cure
}

/// The cure for an unknown name of a short, fixed list.
pub fn meant_among(name: &str, candidates: &[&str]) -> Cure {
    proposed(name, nearest(name, candidates.iter().copied()), candidates)
}

/// The largest number of names that are listed.
const FEW: usize = 20;

fn proposed(name: &str, near: Option<&str>, candidates: &[&str]) -> Cure {
    let Some(near) = near else { return format!("expected one of: {}", candidates.join(", ")).into() };
    let text = format!("did you mean `{near}`?");
    if is_certain(name, near, candidates) { Cure::correcting(text, name, near) } else { text.into() }
}

/// Whether a name can only be a misspelling of the nearest one: it has one slip, in letters and not in a number, or differs in
/// case, and there is no other name as near.
fn is_certain(name: &str, near: &str, candidates: &[&str]) -> bool {
    let (lower, digits) =
        (|name: &str| name.to_lowercase(), |name: &str| name.replace(|letter: char| !letter.is_numeric(), ""));
    let wanted = lower(name);
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut fitting = candidates.iter().filter(|candidate| fits(candidate));
        fitting.next() == Some(&near) && fitting.all(|other| *other == near)
    };
    if lower(near) == wanted {
        return only(&|candidate| lower(candidate) == wanted);
    }
    let is_near = |candidate: &str| strsim::damerau_levenshtein(&wanted, &lower(candidate)) <= 1;
    wanted.chars().count() >= 4 && digits(name) == digits(near) && only(&is_near)
}

/// The cure for an unknown kind; names of types in Rust and SQL stand for the matching kind.
pub(super) fn meant_kind(name: &str) -> Cure {
    let (kind, is_same) = match name.to_lowercase().as_str() {
        "text" | "str" | "varchar" | "nvarchar" | "ntext" | "memo" => (Kind::String, true),
        "i32" | "int32" | "int" => (Kind::Integer, true),
        "number" => (Kind::Integer, false),
        "i64" | "int64" => (Kind::BigInt, true),
        "f64" => (Kind::Double, true),
        "f32" | "float" | "real" => (Kind::Double, false),
        "bool" | "bit" => (Kind::Boolean, true),
        "uuid" | "uniqueidentifier" => (Kind::Guid, true),
        "timestamp" | "time" | "instant" | "datetimeoffset" => (Kind::DateTime, false),
        "numeric" => (Kind::Decimal, false),
        "currency" => (Kind::Money, false),
        "enum" | "option" | "optionset" | "picklist" => (Kind::Choice, false),
        "id" | "reference" | "entityreference" | "relation" => (Kind::Lookup, false),
        _ => return meant_among(name, &Kind::ALL.map(Kind::name)),
    };
    let text = format!("did you mean `{kind}`?");
    if is_same { Cure::correcting(text, name, kind.name()) } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::{meant, meant_kind};

    fn right(name: &str, names: &[&str]) -> Option<String> {
        meant(name, names.iter().copied())?.correction.map(|correction| correction.right)
    }

    #[test]
    fn one_slip_is_corrected_if_only_one_name_can_be_meant() {
        let names = ["WebSiteURL", "Name", "StateCode", "StatusCode", "Telephone1", "Telephone2", "Fax"];
        for (name, expected) in [
            ("WebSiteUrl", Some("WebSiteURL")),
            ("Nmae", Some("Name")),
            ("StatCode", Some("StateCode")),
            // Near enough to be suggested, but what is meant may be something else.
            ("WebSitURI", None),
            ("Telephone3", None),
            ("Telephone", None),
            ("StatueCode", None),
            ("Fx", None),
        ] {
            assert_eq!(right(name, &names).as_deref(), expected, "{name}");
        }
        assert_eq!(right("NAME", &["Name", "name"]), None);
    }

    #[test]
    fn a_kind_of_another_name_is_corrected_if_it_is_the_same() {
        let right = |name: &str| meant_kind(name).correction.map(|correction| correction.right);
        assert_eq!((right("Text").as_deref(), right("sting").as_deref()), (Some("string"), Some("string")));
        // As SQL Server and CDMS's own lists name them.
        let own = ["nvarchar", "int", "bit", "UniqueIdentifier"].map(|name| right(name).unwrap_or_default());
        assert_eq!(own, ["string", "integer", "boolean", "guid"]);
        assert_eq!((right("enum"), right("time"), right("nonsense")), (None, None, None));
    }
}
