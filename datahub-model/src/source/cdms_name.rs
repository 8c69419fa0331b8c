//! What can be a name that CDMS gives: of an entity, a set, an attribute or a relationship.

/// The longest name, in bytes. CDMS itself allows 64 for entities, 50 for attributes and 100 for relationships.
const NAME_MAX: usize = 128;

/// Why a text is no name that CDMS gives; `None` if it is one. Names become parts of addresses, of queries and of file names, so
/// that nothing else may pass for one.
pub fn cdms_name_fault(name: &str) -> Option<String> {
    if name.len() > NAME_MAX {
        return Some(format!("it has {} bytes, more than {NAME_MAX}", name.len()));
    }
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let is_word = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    (!begins || !is_word)
        .then(|| "it must consist of letters, digits and underscores, and not begin with a digit".to_owned())
}
