//! Addresses, to the byte, and links that are refused.

use super::*;
use crate::dialect::Expand;

fn root(text: &str) -> ServiceRoot {
    ServiceRoot::parse(text).unwrap()
}

#[test]
fn the_service_path_is_added_once() {
    let expected = "https://crm.example.gov.uk/ORG/XRMServices/2011/OrganizationData.svc";
    for text in ["https://crm.example.gov.uk/ORG", "https://crm.example.gov.uk/ORG/", expected] {
        assert_eq!(root(text).to_string(), expected);
    }
    let lower = "https://crm.example.gov.uk/ORG/xrmservices/2011/organizationdata.svc";
    assert_eq!(root(lower).to_string(), lower);
    assert_eq!(root(expected).organisation().as_str(), "https://crm.example.gov.uk/ORG");
}

#[test]
fn an_address_of_something_else_is_refused_with_the_way_out() {
    for (text, expected) in [
        ("https://crm/ORG/XRMServices/2011/OrganizationData.svc/AccountSet", "anything after"),
        ("http://crm.example.gov.uk/ORG", "plain http is for this machine only"),
    ] {
        let error = ServiceRoot::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    ServiceRoot::parse("http://127.0.0.1:8080/ORG").unwrap();
}

#[test]
fn too_long_a_selection_is_left_out() {
    let root = root("https://crm/ORG");
    let short = root.select(root.record("AccountSet", Uuid::nil()), ["AccountId", "Name"]);
    assert!(short.url.ends_with("AccountSet(guid'00000000-0000-0000-0000-000000000000')?$select=AccountId,Name"));
    let names: Vec<String> = (0..200).map(|number| format!("optevia_attribute{number}")).collect();
    let long = root.select(root.set("AccountSet"), names.iter().map(String::as_str));
    assert!(long.whole_record);
    assert_eq!(long.url, root.set("AccountSet"));
}

const SET: &str = "https://crm/ORG/XRMServices/2011/OrganizationData.svc/AccountSet";

fn list(query: &ListQuery) -> Result<String, ListError> {
    root("https://crm/ORG").list("AccountSet", ["AccountId", "Name"], query)
}

fn filtered(filter: impl Into<String>) -> ListQuery {
    ListQuery { filter: Some(filter.into()), ..ListQuery::default() }
}

#[test]
fn a_list_is_requested_to_the_byte_like_this() {
    let query = ListQuery {
        filter: Some("account_primary_contact/FirstName eq 'Ada'".to_owned()),
        order: vec![("ModifiedOn".into(), Direction::Descending), ("AccountId".into(), Direction::Ascending)],
        top: Some(120),
        expand: Some(Expand { navigation: "account_primary_contact".into(), key: "ContactId".into() }),
    };
    for (query, expected) in [
        (ListQuery::default(), "$select=AccountId,Name"),
        (
            filtered("Name eq 'O''Neil & Co + 5%_#?;=é\u{1}'"),
            "$select=AccountId,Name&$filter=Name%20eq%20%27O%27%27Neil%20%26%20Co%20%2B%205%25_%23%3F%3B%3D%C3%A9%01%27",
        ),
        (
            query,
            "$select=AccountId,Name,account_primary_contact/ContactId\
             &$filter=account_primary_contact/FirstName%20eq%20%27Ada%27\
             &$orderby=ModifiedOn%20desc,AccountId&$top=120&$expand=account_primary_contact",
        ),
    ] {
        let url = list(&query).unwrap();
        assert_eq!(url, format!("{SET}?{expected}"));
        assert_eq!(Url::parse(&url).unwrap().as_str(), url, "it is sent as it is, so that its length is known");
    }
}

#[test]
fn a_list_too_long_for_an_address_reads_whole_records_and_then_is_refused() {
    let ordered = |filter: usize, by: usize| ListQuery {
        order: vec![("ModifiedOn".into(), Direction::Ascending); by],
        ..filtered("x".repeat(filter))
    };
    let select = "$select=AccountId,Name&";
    let fits = MAX_URI - format!("{SET}?{select}$filter=").len();
    assert_eq!(list(&ordered(fits, 0)).unwrap().len(), MAX_URI);
    let whole = list(&ordered(fits + 1, 0)).unwrap();
    assert_eq!(whole, format!("{SET}?$filter={}", "x".repeat(fits + 1)));
    let longest = fits + select.len();
    assert_eq!(list(&ordered(longest, 0)).unwrap().len(), MAX_URI);
    let refused = list(&ordered(longest + 1, 0)).unwrap_err();
    assert_eq!(refused, ListError::TooLong { set: "AccountSet", length: MAX_URI + 1, limit: MAX_URI });
    // An order's values come with the next page's address.
    let by_two = longest - 2 * ORDER_ROOM - "&$orderby=ModifiedOn,ModifiedOn".len();
    assert_eq!(list(&ordered(by_two, 2)).unwrap().len(), MAX_URI - 2 * ORDER_ROOM);
    list(&ordered(by_two + 1, 2)).unwrap_err();
}

#[test]
fn text_in_a_filter_is_quoted_and_encoded() {
    let url = root("https://crm/ORG").find_text("SystemUserSet", "DomainName", r"DOM\o'neil & co", "SystemUserId");
    assert!(url.ends_with("?$select=SystemUserId&$filter=DomainName%20eq%20'DOM%5Co%27%27neil%20%26%20co'"), "{url}");
}

#[test]
fn a_next_link_gives_its_query_and_nothing_else() {
    let root = root("https://crm/ORG");
    let sent = root.select(root.set("AccountSet"), ["AccountId", "Name"]).url;
    let token = "$skiptoken=1,'accountid','%7BA%7D','%7BB%7D'";
    // Quotes are percent-encoded, which means the same.
    let expected = format!("{}?$select=AccountId,Name&{}", root.set("AccountSet"), token.replace('\'', "%27"));
    for (link, is_foreign) in [
        ("https://crm:443/org/xrmservices/2011/OrganizationData.svc/AccountSet?$select=AccountId,Name&", false),
        ("http://crm/ORG/XRMServices/2011/OrganizationData.svc/AccountSet?$select=AccountId,Name&", true),
        ("https://inner:444/ORG/AccountSet?$select=AccountId,Name&", true),
        ("https://u@evil/a/../b/%2e%2e/AccountSet?$select=AccountId,Name&", true),
    ] {
        let next = root.next_page(&sent, &format!("{link}{token}")).unwrap();
        assert_eq!(next, NextPage { url: expected.clone(), is_foreign }, "{link}");
        // A returned link is accepted again.
        assert_eq!(root.next_page(&sent, &next.url).unwrap().url, expected);
    }
    let next = root.next_page(&sent, "https://crm/AccountSet?%24top=3&$select=AccountId%2CName&$skiptoken=x").unwrap();
    assert!(next.url.ends_with("/AccountSet?%24top=3&$select=AccountId%2CName&$skiptoken=x"), "{next:?}");
    let other = |option: &str| BadLink::OtherOptions { option: option.to_owned() };
    for (link, bad) in [
        ("AccountSet", BadLink::NotAUrl),
        ("https://crm/ContactSet?$select=AccountId,Name&$skiptoken=1", BadLink::AnotherSet),
        ("https://crm/accountset?$select=AccountId,Name&$skiptoken=1", BadLink::AnotherSet),
        ("https://crm/AccountSet(guid'x')?$select=AccountId,Name&$skiptoken=1", BadLink::AnotherSet),
        ("https://crm/AccountSet?$skiptoken=1", other("$select")),
        ("https://crm/AccountSet?$select=AccountId&$skiptoken=1", other("$select")),
        ("https://crm/AccountSet?$select=AccountId,Name&$filter=a&$skiptoken=1", other("$filter")),
        ("https://crm/AccountSet?$select=AccountId,Name&$select=AccountId,Name&$skiptoken=1", other("")),
    ] {
        assert_eq!(root.next_page(&sent, link), Err(bad), "{link}");
    }
}
