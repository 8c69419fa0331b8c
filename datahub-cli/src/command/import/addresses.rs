//! Addresses of an organisation: `$metadata`, and the SOAP service.

use cdms_odata::crm2011::ServiceRoot;
use datahub_import::{Remark, Source, soap};

use crate::fetch::{self, Live};

/// An address to import from.
pub(super) enum Address {
    /// A `$metadata` document, of the data service at this root.
    Metadata(ServiceRoot),
    /// The SOAP service of the organisation with this root.
    Soap(ServiceRoot),
}

/// What a person can do if CDMS asks for a login.
const WAY_OUT: &str = "save the document, and import the file";

impl Address {
    /// The address that was given; `None` if it is the path of a file.
    pub(super) fn of(given: &str) -> Result<Option<Self>, String> {
        let scheme = given.to_ascii_lowercase();
        if !scheme.starts_with("http://") && !scheme.starts_with("https://") {
            return Ok(None);
        }
        let given = given.trim_end_matches('/');
        // The service of the same organisation, whichever form of its address is given.
        if let Some(at) = given.to_ascii_lowercase().find("/xrmservices/2011/organization.svc") {
            return fetch::root(&given[..at]).map(|root| Some(Address::Soap(root)));
        }
        let service = given.strip_suffix("$metadata").unwrap_or(given).trim_end_matches('/');
        fetch::root(service).map(|root| Some(Address::Metadata(root)))
    }
}

/// Reads `$metadata`.
pub(super) fn metadata(live: &Live) -> Result<Source, String> {
    let (url, bytes) = live.metadata_bytes(WAY_OUT)?;
    let source = Source::read(url, &bytes).map_err(|error| error.to_string())?;
    if source.metadata().is_some() { Ok(source) } else { Err(format!("{} is not $metadata", source.name)) }
}

/// The entities to ask a SOAP service about.
pub(super) struct Asked {
    /// Their names, each once.
    pub(super) entities: Vec<String>,
    /// Whether a person named them, so that each must be described.
    pub(super) are_named: bool,
}

/// Asks the SOAP service about entities. Its errors about those that the caller did not name are remarks, as long as it describes any.
pub(super) fn replies(live: &Live, asked: &Asked) -> Result<(Vec<Source>, Vec<Remark>), String> {
    let url = live.soap_url();
    let names: Vec<_> = asked.entities.iter().map(|entity| entity.to_lowercase()).collect();
    let envelopes = names.iter().map(|name| soap::retrieve_entity(name)).collect();
    let answers = live.soap(soap::ACTION, envelopes, WAY_OUT)?;
    let (mut sources, mut remarks) = (Vec::new(), Vec::new());
    let mut first_error = None;
    for ((entity, name), bytes) in asked.entities.iter().zip(names).zip(answers) {
        let error = match Source::read(format!("{url} about {name}"), &bytes) {
            Ok(source) => {
                sources.push(source);
                continue;
            }
            Err(error) => error.to_string(),
        };
        let fault = soap::fault(&bytes).filter(|_| !asked.are_named);
        let Some(fault) = fault else { return Err(error) };
        let text = format!("the SOAP service does not describe it, and nothing is taken from there: {fault}");
        remarks.push(Remark { entity: Some(entity.clone()), text, is_contradiction: false });
        first_error.get_or_insert(error);
    }
    match first_error.filter(|_| sources.is_empty()) {
        Some(error) => Err(error),
        None => Ok((sources, remarks)),
    }
}
