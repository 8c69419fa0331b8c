//! Parts of the server without a server, for what must be asked very often, such as by a fuzzer.

use cdms_odata::Attributes;
use cdms_odata::metadata::Metadata;
use uuid::Uuid;

use crate::clock::SimulatorClock;
use crate::login;
use crate::refusal::Refusal;
use crate::world::{Query, Switches, World, pairs};

/// The ids on each page of a list. `query` is the part of the address behind the `?`, and `records` are all records of the set.
///
/// # Errors
///
/// The service's own text if it would refuse the query or a record.
pub fn pages(
    metadata: &Metadata,
    set: &str,
    query: &str,
    records: impl IntoIterator<Item = Attributes>,
    page_size: usize,
) -> Result<Vec<Vec<Uuid>>, String> {
    read(metadata, set, query, records, page_size).map_err(|refusal| refusal.message)
}

/// Whether a server would take a client's last message of NTLM for this user's. `first` and `challenge` are the two messages
/// before it, as they went over the wire.
pub fn ntlm_accepts(domain: &str, user: &str, password: &str, [first, challenge, last]: [&[u8]; 3]) -> bool {
    login::accepts_last_message(domain, user, password, [first, challenge, last])
}

fn read(
    metadata: &Metadata,
    set: &str,
    query: &str,
    records: impl IntoIterator<Item = Attributes>,
    page_size: usize,
) -> Result<Vec<Vec<Uuid>>, Refusal> {
    let mut switches = Switches::new();
    switches.page_size = page_size.max(1);
    let mut world = World::new(metadata.clone(), SimulatorClock::standing_at(0), switches, Some(0));
    let entity = metadata.entity_by_set(set).ok_or_else(|| Refusal::unknown_set(set))?;
    for record in records {
        world.seed(&entity.name, record)?;
    }
    let (mut found, mut next) = (Vec::new(), Some(query.to_owned()));
    while let Some(query) = next {
        let pairs = pairs(&query)?;
        let query = Query::parse(&world, entity, &pairs, false)?;
        query.prepare(&mut world, entity);
        let page = query.page(&world, entity, &pairs)?;
        found.push(page.ids);
        next = page.next;
    }
    Ok(found)
}
