//! The request to the SOAP organisation service whose replies can be imported, and the error that it may answer with.

/// The path of the service that takes SOAP 1.1, below an organisation's address.
pub const PATH: &str = "XRMServices/2011/Organization.svc/web";

/// The value of the header `SOAPAction`.
pub const ACTION: &str = "http://schemas.microsoft.com/xrm/2011/Contracts/Services/IOrganizationService/Execute";

/// The value of the header `Content-Type`.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The body of a `RetrieveEntity` for the entity of this logical name: its published attributes and relationships.
pub fn retrieve_entity(logical_name: &str) -> String {
    let parameter = |name: &str, kind: &str, namespace: &str, value: &str| {
        format!(
            "<b:KeyValuePairOfstringanyType><c:key>{name}</c:key><c:value i:type=\"v:{kind}\" xmlns:v=\"{namespace}\">{value}\
             </c:value></b:KeyValuePairOfstringanyType>"
        )
    };
    let schema = "http://www.w3.org/2001/XMLSchema";
    let parameters = [
        parameter(
            "EntityFilters",
            "EntityFilters",
            "http://schemas.microsoft.com/xrm/2011/Metadata",
            "Entity Attributes Relationships",
        ),
        parameter(
            "MetadataId",
            "guid",
            "http://schemas.microsoft.com/2003/10/Serialization/",
            "00000000-0000-0000-0000-000000000000",
        ),
        parameter("RetrieveAsIfPublished", "boolean", schema, "false"),
        parameter("LogicalName", "string", schema, &escaped(logical_name)),
    ];
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <Execute xmlns=\"http://schemas.microsoft.com/xrm/2011/Contracts/Services\" \
         xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <request i:type=\"b:RetrieveEntityRequest\" xmlns:b=\"http://schemas.microsoft.com/xrm/2011/Contracts\">\
         <b:Parameters xmlns:c=\"http://schemas.datacontract.org/2004/07/System.Collections.Generic\">{}</b:Parameters>\
         <b:RequestId i:nil=\"true\"/><b:RequestName>RetrieveEntity</b:RequestName></request></Execute></s:Body></s:Envelope>",
        parameters.concat()
    )
}

/// What the service's error says; `None` if the document is no error.
pub fn fault(document: &[u8]) -> Option<String> {
    crate::source::fault(document)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_a_reply() {
        let error = b"<s:Fault xmlns:s=\"s\"><faultstring> No such entity </faultstring></s:Fault>";
        assert_eq!(fault(error).as_deref(), Some("No such entity"));
        for other in [include_bytes!("../tests/fixtures/reply.xml").as_slice(), b"<html/>", b"\xff"] {
            assert_eq!(fault(other), None);
        }
    }

    #[test]
    fn an_error_is_told_on_one_short_line_and_moves_nothing_on_a_terminal() {
        let error = |said: &str| fault(format!("<Fault><faultstring>{said}</faultstring></Fault>").as_bytes()).unwrap();
        assert_eq!(error("No\n\n such &#x9b;31ment\u{202e}ity&#13;&#9;x"), "No such 31mentity x");
        let long = error(&"é".repeat(100_000));
        assert_eq!((long.chars().count(), long.ends_with("é…")), (501, true));
    }

    #[test]
    fn the_request_is_xml_and_names_the_entity() {
        let body = retrieve_entity("a<b");
        let document = roxmltree::Document::parse(&body).unwrap();
        let values: Vec<_> = document.descendants().filter(|node| node.tag_name().name() == "value").collect();
        assert_eq!(values.iter().filter_map(|value| value.text()).next_back(), Some("a<b"));
        assert_eq!(values.len(), 4);
    }
}
