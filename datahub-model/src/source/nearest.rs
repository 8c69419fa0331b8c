//! The name that was probably meant.

use cdms_odata::Kind;

/// The candidate nearest to a name, if one is near enough to be a misspelling of it.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = name.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
    let best = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(far, _)| *far);
    best.filter(|(far, candidate)| *far <= candidate.len().max(wanted.len()) / 3).map(|(_, candidate)| candidate)
}

/// The help line that proposes the nearest name, or lists the few that there are.
pub(super) fn meant<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let few = !candidates.is_empty() && candidates.len() <= 20;
    few.then(|| format!("one of: {}", candidates.join(", ")))
}

/// The help line for a kind that does not exist: what Rust and SQL call it is the kind that is meant.
pub(super) fn meant_kind(name: &str) -> Option<String> {
    let kind = match name.to_lowercase().as_str() {
        "text" | "str" | "varchar" | "memo" => "string",
        "i32" | "int" | "int32" | "number" => "integer",
        "i64" | "int64" => "bigint",
        "f64" | "f32" | "float" | "real" => "double",
        "bool" => "boolean",
        "uuid" => "guid",
        "timestamp" | "time" | "instant" | "datetimeoffset" => "datetime",
        "numeric" => "decimal",
        "currency" => "money",
        "enum" | "option" | "optionset" | "picklist" => "choice",
        "id" | "reference" | "entityreference" | "relation" => "lookup",
        _ => return meant(name, Kind::ALL.iter().map(|kind| kind.name())),
    };
    Some(format!("did you mean `{kind}`?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelling_finds_its_name_and_nonsense_finds_none() {
        let names = ["WebSiteURL", "FtpSiteURL", "Name"];
        assert_eq!(nearest("WebSiteUrl", names), Some("WebSiteURL"));
        assert_eq!(nearest("Nmae", names), Some("Name"));
        assert_eq!(nearest("Turnover", names), None);
    }
}
