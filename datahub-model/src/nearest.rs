//! The name that was probably meant.

/// The candidate nearest to a name, if one is near enough to be a misspelling of it.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = name.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
    let best = candidates.into_iter().map(|candidate| (distance(candidate), candidate)).min_by_key(|(far, _)| *far);
    best.filter(|(far, candidate)| *far <= candidate.len().max(wanted.len()) / 3).map(|(_, candidate)| candidate)
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
