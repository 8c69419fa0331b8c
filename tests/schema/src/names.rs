//! Names for what is made of an entity: its struct, table, fields and columns.

use std::collections::HashSet;

use datahub_model::source::name_fault;

/// What a field is called in Rust and in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    /// The field, raw where the word is one of Rust's own.
    pub field: String,
    /// The column, where it cannot have the field's name.
    pub column: Option<String>,
}

/// The names that one scope has given away.
#[derive(Debug, Default)]
pub struct Names {
    taken: HashSet<String>,
}

/// The most bytes of a column that has to be cut: a mark and the digits behind it fit below PostgreSQL's 63.
const CUT: usize = 50;

impl Names {
    /// The field for an attribute. What another attribute took already gets a number, and what cannot be a column, because
    /// it is reserved, too long or the name of its table, gets a column of its own.
    pub fn field(&mut self, attribute: &str, table: &str) -> FieldName {
        let plain = self.unique(snake_case(attribute));
        let is_column = name_fault(&plain).is_none() && !Self::is_beside(&plain, table);
        let column = if is_column { None } else { Some(self.unique(column(&plain))) };
        FieldName { field: identifier(plain), column }
    }

    /// The table of an entity.
    pub fn table(&mut self, entity: &str) -> String {
        let plain = snake_case(entity);
        let fits = name_fault(&plain).is_none();
        self.unique(if fits { plain } else { format!("{plain}_records") })
    }

    /// The struct of an entity.
    pub fn structure(&mut self, entity: &str) -> String {
        let words = snake_case(entity);
        let camel = words.split('_').map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        });
        // A name that a prelude or the batch's own imports have would be hidden or hide it.
        let camel = camel.collect::<String>();
        self.unique(if TAKEN.contains(&camel.as_str()) { format!("{camel}Record") } else { camel })
    }

    fn is_beside(name: &str, table: &str) -> bool {
        name == table || ["all_columns", "columns", "dsl", "star"].contains(&name)
    }

    fn unique(&mut self, wanted: String) -> String {
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        name
    }
}

/// The types that a batch imports or that Rust brings along.
const TAKEN: [&str; 14] = [
    "Box",
    "DateTime",
    "Decimal",
    "Fn",
    "FnMut",
    "FnOnce",
    "Id",
    "NaiveDate",
    "OneOf",
    "Option",
    "Self",
    "String",
    "Utc",
    "Uuid",
];

/// A name in snake case: `WebSiteURL` is `web_site_url`, `Address1_Line1` is `address1_line1`.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                let ends_capitals =
                    before.is_ascii_uppercase() && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
                before.is_ascii_lowercase() || before.is_ascii_digit() || ends_capitals
            });
        if begins {
            snake.push('_');
        }
        if !(*letter == '_' && snake.ends_with('_')) {
            snake.push(letter.to_ascii_lowercase());
        }
    }
    snake
}

/// A column for a field whose own name cannot be one.
fn column(field: &str) -> String {
    if field.len() > CUT { format!("{}_{:08x}", &field[..CUT], hash(&[field]) as u32) } else { format!("{field}_") }
}

/// A field's name as Rust takes it.
fn identifier(name: String) -> String {
    match name.as_str() {
        "self" | "super" | "crate" => format!("{name}_"),
        _ if KEYWORDS.contains(&name.as_str()) => format!("r#{name}"),
        _ => name,
    }
}

/// Rust's keywords that a raw identifier may be, those kept for later included.
const KEYWORDS: [&str; 47] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// A number that is the same for the same words on every machine (FNV-1a): what is decided by lot is decided by name.
pub fn hash(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
