//! The derives on arbitrary tokens: they report errors, and never panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datahub_derive::Derive;
use datahub_derive::project::Package;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// Where the cases begin, unless `DATAHUB_SEED` says another number.
const SEED: u64 = 2011;

/// A small generator of numbers (SplitMix64): the same seed gives the same cases everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("a number below a usize is one")
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// Single tokens, most of them with a meaning to the derives.
const WORDS: &str = r##"
    struct enum union pub crate self Self mod fn where for in _ r#type r#fn cdms cfg derive Option Id String Vec
    mapping table mode only diesel attribute attributes with key modified created modified_by default read_only
    create_only flatten prefix local sql_type column other insertable id name Organisation
    "account.toml" "sector.toml" "missing.toml" "" "." ".." "/" "organisations" "mirror" "sync" "Name" "optevia_Alias"
    "StateCode" "StateCode/Value eq 0" "Name eq 'a" "((((" "not" "address" "string" "lookup" "phone" "a b" "ä" "\u{0}"
    r"Name" r#"Na"me"# b"Name" c"Name" 'a' b'a' 'static 0 -1 1.5 0xff 99999999999999999999999999999999999999999 1i32
    true false , ; : :: = == => -> . .. ... & && | # ! ? < > << $ @ ~ ^ % * +
"##;

fn words() -> Vec<TokenTree> {
    let streams = WORDS.split(' ').flat_map(str::split_whitespace).filter_map(|word| word.parse::<TokenStream>().ok());
    streams.flatten().collect()
}

/// Items that the derives take, to be damaged.
fn items() -> Vec<TokenStream> {
    vec![
        quote! {
            #[cdms(mapping = "account.toml", table = "organisations", mode = "sync", only = "StateCode/Value eq 0")]
            #[cdms(crate = ::datahub_runtime, diesel(table = false))]
            pub struct Organisation {
                #[cdms(key, column = "org_id")]
                pub id: Id<Organisation>,
                #[cdms("Name")]
                pub name: String,
                #[cdms(attribute = "optevia_Alias", default = "none")]
                pub(crate) r#alias: std::string::String,
                #[cdms(flatten = "address", prefix = "home_", read_only)]
                address: Address,
                #[cdms(attributes("optevia_AreaCode", "optevia_TelephoneNumber"), with = "a::phone", sql_type = "string")]
                phone: Option<Phone>,
                #[cdms("ParentAccountId")]
                parent: Option<Id<Self>>,
                #[cdms(modified)]
                modified: DateTime<Utc>,
                #[cdms("StateCode", read_only)]
                state: OrganisationState,
                #[cdms(local, sql_type = "boolean")]
                archived: bool,
            }
        },
        quote! {
            #[cdms(crate = crate::hub)]
            pub struct Address {
                pub line_1: Option<String>,
                #[cdms("town", default = String::new())]
                pub city: String,
            }
        },
        quote! {
            #[cdms(mapping = "account.toml", attribute = "StateCode")]
            pub enum OrganisationState {
                Active,
                #[cdms("inactive")]
                Closed,
                #[cdms(other)]
                Other(i32),
            }
        },
    ]
}

/// Tokens of all sorts in any order.
fn soup(numbers: &mut Numbers, words: &[TokenTree], depth: usize) -> TokenStream {
    let count = numbers.below(7);
    (0..count)
        .map(|_| match numbers.below(5) {
            0 if depth > 0 => {
                let inside = soup(numbers, words, depth - 1);
                let delimiters = [Delimiter::Brace, Delimiter::Bracket, Delimiter::Parenthesis, Delimiter::None];
                TokenTree::Group(Group::new(*numbers.pick(&delimiters), inside))
            }
            _ => numbers.pick(words).clone(),
        })
        .collect()
}

/// The same tokens but for a few, which are left out, doubled, replaced or put elsewhere, at any depth.
fn damaged(numbers: &mut Numbers, words: &[TokenTree], tokens: TokenStream, rarity: usize) -> TokenStream {
    let mut all: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        let tree = match tree {
            TokenTree::Group(group) => {
                let delimiter = if numbers.one_in(rarity * 4) { Delimiter::None } else { group.delimiter() };
                TokenTree::Group(Group::new(delimiter, damaged(numbers, words, group.stream(), rarity)))
            }
            tree => tree,
        };
        if !numbers.one_in(rarity) {
            all.push(tree);
            continue;
        }
        match numbers.below(5) {
            0 => {}
            1 => all.extend([tree.clone(), tree]),
            2 => all.push(numbers.pick(words).clone()),
            3 => all.extend([tree, numbers.pick(words).clone()]),
            _ => {
                let at = numbers.below(all.len() + 1);
                all.insert(at, tree);
            }
        }
    }
    all.into_iter().collect()
}

/// What a derive makes of tokens: code that parses, or a panic.
fn expand(derive: Derive, tokens: &TokenStream) -> Result<TokenStream, String> {
    let package = Package::at(env!("CARGO_MANIFEST_DIR"));
    let expansion = catch_unwind(AssertUnwindSafe(|| derive.expand(tokens.clone(), &package)));
    let expansion = expansion.map_err(|_| "it panics".to_owned())?;
    syn::parse2::<syn::File>(expansion.clone())
        .map_err(|error| format!("its expansion is not valid code, {error}: {expansion}"))?;
    Ok(expansion)
}

#[test]
fn derives_never_panic_and_always_give_code() {
    let seed = std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    println!("seed {seed}; set DATAHUB_SEED to try another");
    let mut numbers = Numbers(seed);
    let (words, items) = (words(), items());
    let (mut derived, mut refused) = (0, 0);
    for case in 0..3000 {
        let item = numbers.pick(&items).clone();
        let tokens = match case % 10 {
            0 => soup(&mut numbers, &words, 3),
            1 => {
                let inside = soup(&mut numbers, &words, 2);
                quote! { #[cdms(#inside)] struct Organisation { #[cdms(#inside)] id: Id<Organisation> } }
            }
            rarity => damaged(&mut numbers, &words, item, [3, 10, 30, 100][rarity % 4]),
        };
        for derive in Derive::ALL {
            match expand(derive, &tokens) {
                Ok(expansion) if expansion.to_string().contains("compile_error") => refused += 1,
                Ok(_) => derived += 1,
                Err(fault) => panic!("seed {seed}, case {case}: {fault}\n{tokens}"),
            }
        }
    }
    // A generator that made nothing but nonsense, or nothing but models, would prove little.
    assert!(derived > 100 && refused > 1000, "{derived} derived, {refused} refused");
}

#[test]
fn the_items_to_be_damaged_are_whole() {
    for (derive, item) in Derive::ALL.into_iter().zip(items()) {
        let code = expand(derive, &item).unwrap().to_string();
        assert!(!code.contains("compile_error"), "{code}");
    }
}
