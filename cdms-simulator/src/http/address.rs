//! The address of a request: the resource that it names, and the query options.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::state::State;
use crate::world::pairs;

const SERVICE: &str = "/xrmservices/2011/organizationdata.svc";
/// The path of the service in addresses that the server generates.
const SERVICE_SHOWN: &str = "/xrmservices/2011/OrganizationData.svc";

/// The longest address that the service accepts (docs/protocol.md, 3.1 and 5).
const LENGTH_MAX: usize = 2048;

/// A parsed address.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) target: Target,
    /// The service root in addresses that the server generates.
    pub(super) root: String,
    /// The query options, decoded.
    pub(super) pairs: Vec<(String, String)>,
}

/// The resource that a request addresses.
#[derive(Debug)]
pub(super) enum Target {
    Service,
    Metadata,
    /// A path that is not under the service root, in the server's reading.
    Outside(String),
    Set(String),
    Record(String, Uuid),
}

impl Address {
    /// Reads the path and query that were sent to a host.
    pub(super) fn read(state: &State, host: &str, sent: &str) -> Result<Self, Refusal> {
        let length = "http://".len() + host.len() + sent.len();
        if length > LENGTH_MAX {
            return Err(Refusal::too_long_an_address(length, LENGTH_MAX));
        }
        let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
        let path = percent_decode_str(path).decode_utf8().map_err(|_| Refusal::malformed_key())?.into_owned();
        let pairs = pairs(query)?;
        let (target, root) = match path.to_ascii_lowercase().find(SERVICE) {
            None => (Target::Outside(path), String::new()),
            Some(at) => {
                let end = at + SERVICE.len();
                let root = format!("http://{host}{}{SERVICE_SHOWN}", &path[..at]);
                (resource(state, path[end..].trim_start_matches('/'))?, root)
            }
        };
        Ok(Address { target, root, pairs })
    }
}

/// The resource that a path under the service root names.
fn resource(state: &State, path: &str) -> Result<Target, Refusal> {
    if path.is_empty() {
        return Ok(Target::Service);
    }
    if path == "$metadata" {
        return Ok(Target::Metadata);
    }
    if path == "$batch" {
        return Err(Refusal::not_simulated("$batch"));
    }
    let (segment, rest) = path.split_once('/').unwrap_or((path, ""));
    let (set, key) = match segment.split_once('(') {
        None => (segment, None),
        Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(Refusal::malformed_key)?)),
    };
    let world = state.world();
    let entity = world.metadata.entity_by_set(set).ok_or_else(|| Refusal::unknown_set(set))?;
    if rest == "$count" {
        return Err(Refusal::unsupported_option("$count"));
    }
    if !rest.is_empty() {
        return Err(Refusal::not_simulated("Addressing a part of a record"));
    }
    let Some(key) = key else { return Ok(Target::Set(entity.name.clone())) };
    // The key may be named, and must be if an entity has several.
    let literal = match key.split_once('=') {
        Some((name, literal)) if name == entity.key => literal,
        Some(_) => return Err(Refusal::malformed_key()),
        None => key,
    };
    let quoted = literal.strip_prefix("guid'").and_then(|key| key.strip_suffix('\''));
    let id = quoted.filter(|key| key.len() == 36).and_then(|key| key.parse().ok());
    Ok(Target::Record(entity.name.clone(), id.ok_or_else(Refusal::malformed_key)?))
}
