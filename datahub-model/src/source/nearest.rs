//! The name that was probably meant, for cures.

use cdms_odata::Kind;

/// The candidate nearest to a name, if one is near enough to be a misspelling of it.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = name.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
    let best = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(far, _)| *far);
    best.filter(|(far, candidate)| *far <= candidate.len().max(wanted.len()) / 3).map(|(_, candidate)| candidate)
}

/// The cure that suggests the nearest name, or lists the candidates if they are few; `None` if there are none, or many.
pub(super) fn meant<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    let near = nearest(name, candidates.iter().copied());
    let is_few = (1..=FEW).contains(&candidates.len());
    (near.is_some() || is_few).then(|| proposed(near, &candidates))
}

/// The cure for an unknown name of a short, fixed list.
pub fn meant_among(name: &str, candidates: &[&str]) -> String {
    proposed(nearest(name, candidates.iter().copied()), candidates)
}

/// The largest number of names that are listed.
const FEW: usize = 20;

fn proposed(near: Option<&str>, candidates: &[&str]) -> String {
    near.map_or_else(|| format!("expected one of: {}", candidates.join(", ")), |near| format!("did you mean `{near}`?"))
}

/// The cure for an unknown kind; names of types in Rust and SQL stand for the matching kind.
pub(super) fn meant_kind(name: &str) -> String {
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
        _ => return meant_among(name, &Kind::ALL.map(Kind::name)),
    };
    format!("did you mean `{kind}`?")
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
