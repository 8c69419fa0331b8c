//! The simulator as a program: `cdms-simulator --metadata FILE`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use cdms_odata::metadata::{EdmType, Metadata};
use cdms_simulator::{AdFsServer, Expiry, NtlmServer, OAuthServer, Simulator, SimulatorBuilder, SimulatorClock};
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A faithful Dynamics CRM 2011 REST server to develop and test against.
///
/// Prints the service root as its first line and serves until it is stopped (ctrl-c or a signal). It has no access
/// control, so it listens only on loopback addresses.
///
/// Exit code 2: a file or an option is invalid.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The organisation's schema: any $metadata document.
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
    /// Initial records: JSON, a list of {"entity": "Account", "attributes": {"Name": "Acme"}}. Text, whole numbers,
    /// true, false and null are plain JSON, other values are written as {"guid": "…"}, {"choice": 1}, {"money":
    /// "5.00"}, {"decimal": "1.5"}, {"double": 51.5}, {"bigint": "5"}, {"instant": 0} (ms since 1970 UTC) or {"lookup":
    /// ["account", "…"]}.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Address to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Serve /_control/clock, dropped, faults, late, log, requests, seed and sessions to control the simulator over
    /// HTTP.
    #[arg(long)]
    control: bool,
    /// Use a clock that stands at this time (ms since 1970 UTC) until it is moved, instead of the system clock.
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    clock: Option<i64>,
    /// Require a login at /ORG/login with the form fields user and password.
    #[arg(long, value_name = "USER:PASSWORD", value_parser = login)]
    login: Option<(String, String)>,
    /// Require a login by NTLM on each connection.
    #[arg(long, value_name = "DOMAIN\\USER:PASSWORD", value_parser = ntlm, conflicts_with = "login")]
    ntlm: Option<[String; 3]>,
    /// Require a login by AD FS, whose token service runs beside; its `sign-in` for [cdms] of datahub.toml is the second
    /// line that is printed.
    #[arg(long, value_name = "USER:PASSWORD", value_parser = login, conflicts_with_all = ["login", "ntlm"])]
    adfs: Option<(String, String)>,
    /// Require a token of OAuth 2, which this application gets; `token-url` for [cdms] of datahub.toml is the second line
    /// that is printed.
    #[arg(long, value_name = "CLIENT:SECRET", value_parser = client, conflicts_with_all = ["login", "ntlm", "adfs"])]
    oauth: Option<(String, String)>,
    /// Answer to a request without a session: 401, a redirect to a login page, or the login form instead of data.
    #[arg(long, value_name = "ANSWER", requires = "login", default_value = "401", value_parser = expiry())]
    expiry: Expiry,
    /// Number of records in a page, which an organisation can raise.
    #[arg(long, value_name = "RECORDS", default_value = "50")]
    page_size: NonZeroUsize,
    /// Maximum length of a text attribute, for example Account.Name=160; can be repeated.
    #[arg(long, value_name = "ENTITY.ATTRIBUTE=LENGTH", value_parser = limited::<usize>)]
    max_length: Vec<Limited<usize>>,
    /// Options of an option set, for example Account.IndustryCode=1,2; can be repeated.
    #[arg(long, value_name = "ENTITY.ATTRIBUTE=OPTIONS", value_parser = option_set)]
    option_set: Vec<Limited<Vec<i32>>>,
    /// Statuses that belong to a state, for example Account.0=1,3; the entity then has no others; can be repeated.
    #[arg(long, value_name = "ENTITY.STATE=STATUSES", value_parser = statuses)]
    statuses: Vec<Limited<(i32, Vec<i32>)>>,
    /// Number of decimal places to round a number or an amount to, for example Account.Revenue=2; can be repeated.
    #[arg(long, value_name = "ENTITY.ATTRIBUTE=DIGITS", value_parser = limited::<u32>)]
    precision: Vec<Limited<u32>>,
    /// Delete records together with the record that this lookup refers to, for example Contact.ParentCustomerId; can be
    /// repeated.
    #[arg(long, value_name = "ENTITY.LOOKUP", value_parser = place)]
    parental: Vec<(String, String)>,
    /// Relation by which records refer to others, for example account_primary_contact=Account.PrimaryContactId:Contact; can
    /// be repeated. The schema does not name the lookup; without this, the one whose name is contained in the relation's is
    /// followed.
    #[arg(long, value_name = "NAME=CHILD.LOOKUP:PARENT", value_parser = relation)]
    relation: Vec<[String; 4]>,
    /// Distinguish accents when text is compared.
    #[arg(long)]
    accents_count: bool,
    /// Take %, _ and […] in the text of substringof, startswith and endswith for wildcards.
    #[arg(long)]
    like_has_wildcards: bool,
    /// Do not find records without a value by `ne` or by `not` before a function.
    #[arg(long)]
    null_is_unknown: bool,
    /// Find records without a related one by conditions on it, whose values then are null.
    #[arg(long)]
    unrelated_is_null: bool,
    /// Answer $skip beyond the last record with an error instead of an empty list.
    #[arg(long)]
    refuse_skip_beyond_end: bool,
    /// Refuse money for a record without a currency.
    #[arg(long)]
    money_needs_currency: bool,
    /// Compute the *_Base value of each amount of money instead of storing what clients send.
    #[arg(long)]
    base_amounts: bool,
    /// Number of commits, and of requests, to keep, or `all`; /_control/dropped counts those that were dropped.
    #[arg(long, value_name = "ENTRIES", default_value = "100000", value_parser = log_limit)]
    log_limit: LogLimit,
    /// Ignore a bare null for a lookup, an option or money instead of clearing it.
    #[arg(long)]
    ignore_bare_nulls: bool,
    /// Refuse lookups of records that do not exist.
    #[arg(long)]
    refuse_dangling_lookups: bool,
    /// Refuse values for attributes that only the server sets, such as CreatedOn, instead of ignoring them.
    #[arg(long)]
    refuse_read_only: bool,
}

/// An attribute and the limit of its values.
#[derive(Clone, Debug)]
struct Limited<T> {
    entity: String,
    attribute: String,
    limit: T,
}

/// The number of entries that a log keeps; `None`: all.
#[derive(Clone, Copy, Debug)]
struct LogLimit(Option<usize>);

fn log_limit(text: &str) -> Result<LogLimit, &'static str> {
    if text == "all" {
        return Ok(LogLimit(None));
    }
    text.parse().map(|entries| LogLimit(Some(entries))).map_err(|_| "expected a number or `all`")
}

fn place(text: &str) -> Result<(String, String), &'static str> {
    let (entity, attribute) = text.split_once('.').ok_or("expected ENTITY.LOOKUP")?;
    Ok((entity.to_owned(), attribute.to_owned()))
}

fn relation(text: &str) -> Result<[String; 4], &'static str> {
    let parts = text.split_once('=').and_then(|(name, rest)| {
        let (lookup, parent) = rest.split_once(':')?;
        let (child, lookup) = lookup.split_once('.')?;
        Some([name, child, lookup, parent].map(str::to_owned))
    });
    parts.ok_or("expected NAME=CHILD.LOOKUP:PARENT")
}

fn login(text: &str) -> Result<(String, String), &'static str> {
    pair(text).ok_or("expected USER:PASSWORD")
}

fn client(text: &str) -> Result<(String, String), &'static str> {
    pair(text).ok_or("expected CLIENT:SECRET")
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, secret) = text.split_once(':').filter(|(name, _)| !name.is_empty())?;
    Some((name.to_owned(), secret.to_owned()))
}

fn ntlm(text: &str) -> Result<[String; 3], &'static str> {
    let parts = text.split_once('\\').and_then(|(domain, rest)| {
        let (user, password) = rest.split_once(':').filter(|(user, _)| !user.is_empty())?;
        Some([domain, user, password].map(str::to_owned))
    });
    parts.ok_or("expected DOMAIN\\USER:PASSWORD")
}

fn expiry() -> impl TypedValueParser<Value = Expiry> {
    PossibleValuesParser::new(["401", "redirect", "form"]).map(|answer| match answer.as_str() {
        "redirect" => Expiry::Redirect,
        "form" => Expiry::LoginForm,
        _ => Expiry::Unauthorized,
    })
}

fn limited<T: std::str::FromStr>(text: &str) -> Result<Limited<T>, String> {
    let parts = text.split_once('=').and_then(|(place, limit)| Some((place.split_once('.')?, limit)));
    let ((entity, attribute), limit) = parts.ok_or("expected ENTITY.ATTRIBUTE=…")?;
    let limit = limit.parse().map_err(|_| format!("expected a number, found `{limit}`"))?;
    Ok(Limited { entity: entity.to_owned(), attribute: attribute.to_owned(), limit })
}

fn option_set(text: &str) -> Result<Limited<Vec<i32>>, String> {
    let Limited { entity, attribute, limit } = limited::<String>(text)?;
    let options =
        limit.split(',').map(|option| option.parse().map_err(|_| format!("expected a number, found `{option}`")));
    Ok(Limited { entity, attribute, limit: options.collect::<Result<_, _>>()? })
}

/// The state is in the attribute's place.
fn statuses(text: &str) -> Result<Limited<(i32, Vec<i32>)>, String> {
    let Limited { entity, attribute, limit } = option_set(text)?;
    let state = attribute.parse().map_err(|_| format!("expected the number of a state, found `{attribute}`"))?;
    Ok(Limited { entity, attribute, limit: (state, limit) })
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Arguments) -> Result<(), String> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let metadata = Metadata::parse(&read(&options.metadata)?)
        .map_err(|error| format!("{}: {error}", options.metadata.display()))?;
    let simulator = build(options, metadata)?.start();
    let simulator = simulator.map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    if let Some(path) = &options.seed {
        simulator.seed_json(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    // The server also runs if its output is not read.
    _ = writeln!(std::io::stdout(), "{}", simulator.service_root());
    // For `[cdms]` of datahub.toml.
    if let Some(sign_in) = simulator.token_services().first() {
        _ = writeln!(std::io::stdout(), "sign-in = \"{sign_in}\"");
    }
    if options.oauth.is_some() {
        _ = writeln!(std::io::stdout(), "token-url = \"{}\"", simulator.token_url());
    }
    simulator.wait();
    Ok(())
}

fn build(options: &Arguments, metadata: Metadata) -> Result<SimulatorBuilder, String> {
    let known = |option: &str, entity: &str, attribute: &str| {
        let found = metadata.entity(entity).is_some_and(|entity| entity.property(attribute).is_some());
        let named = format!("{option} {entity}.{attribute}: {} has no such attribute", options.metadata.display());
        if found { Ok(()) } else { Err(named) }
    };
    let mut builder = Simulator::builder()
        .listen(options.listen)
        .control(options.control)
        .page_size(options.page_size.get())
        .bare_null_clears(!options.ignore_bare_nulls)
        .refuse_dangling_lookups(options.refuse_dangling_lookups)
        .refuse_read_only(options.refuse_read_only)
        .money_needs_currency(options.money_needs_currency)
        .base_amounts(options.base_amounts)
        .accents_count(options.accents_count)
        .like_has_wildcards(options.like_has_wildcards)
        .null_differs(!options.null_is_unknown)
        .unrelated_is_null(options.unrelated_is_null)
        .refuse_skip_beyond_end(options.refuse_skip_beyond_end)
        .log_limit(options.log_limit.0);
    for Limited { entity, attribute, limit } in &options.max_length {
        known("--max-length", entity, attribute)?;
        builder = builder.max_length(entity, attribute, *limit);
    }
    for Limited { entity, attribute, limit } in &options.option_set {
        known("--option-set", entity, attribute)?;
        builder = builder.options(entity, attribute, limit);
    }
    for Limited { entity, attribute, limit } in &options.precision {
        known("--precision", entity, attribute)?;
        builder = builder.precision(entity, attribute, *limit);
    }
    for [name, child, lookup, parent] in &options.relation {
        let entities = (metadata.entity(child), metadata.entity(parent));
        let property = entities.0.and_then(|child| child.property(lookup));
        if property.is_none_or(|property| property.edm != EdmType::EntityReference) || entities.1.is_none() {
            let file = options.metadata.display();
            return Err(format!("--relation {name}: {file} has no lookup {child}.{lookup}, or no entity {parent}"));
        }
        builder = builder.relation(name, child, lookup, parent);
    }
    for (entity, lookup) in &options.parental {
        known("--parental", entity, lookup)?;
        builder = builder.parental(entity, lookup);
    }
    for Limited { entity, limit: (state, statuses), .. } in &options.statuses {
        if metadata.entity(entity).is_none() {
            return Err(format!("--statuses {entity}.{state}: {} has no such entity", options.metadata.display()));
        }
        builder = builder.statuses(entity, *state, statuses);
    }
    if let Some(ms) = options.clock {
        builder = builder.clock(SimulatorClock::standing_at(ms));
    }
    if let Some((user, password)) = &options.login {
        builder = builder.login(user, password, options.expiry);
    }
    if let Some([domain, user, password]) = &options.ntlm {
        builder = builder.ntlm(NtlmServer::new(domain, user, password));
    }
    if let Some((user, password)) = &options.adfs {
        builder = builder.adfs(AdFsServer::new(user, password));
    }
    if let Some((client, secret)) = &options.oauth {
        builder = builder.oauth(OAuthServer::new(client, secret));
    }
    Ok(builder.metadata(metadata))
}
