//! Positions in lists: what CDMS's link to a page has besides the query, its `$skiptoken`.

use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::ServiceRoot;
use super::root::ENCODED;
use crate::dialect::{ListError, ListQuery};

impl ServiceRoot {
    /// The address of a list's page at a `$skiptoken`.
    ///
    /// # Errors
    ///
    /// As for [`list`](ServiceRoot::list). The token's own length is not counted, as in a link of CDMS's.
    pub fn list_at<'n>(
        &self,
        set: &'static str,
        names: impl IntoIterator<Item = &'n str>,
        query: &ListQuery,
        token: &str,
    ) -> Result<String, ListError> {
        let first = self.list(set, names, query)?;
        let mark = if first.contains('?') { '&' } else { '?' };
        Ok(format!("{first}{mark}$skiptoken={}", utf8_percent_encode(token, ENCODED)))
    }

    /// The `$skiptoken` of a page's address, decoded once.
    pub fn skip_token(&self, url: &str) -> Option<String> {
        let pairs = url.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
        let mut tokens = pairs.filter(|(name, _)| decoded(name).as_deref() == Some("$skiptoken"));
        decoded(tokens.next()?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::crm2011::Crm2011;
    use crate::dialect::{Continuation, Dialect as _, EntityShape};

    #[test]
    fn a_position_says_where_in_a_list_to_go_on_and_nothing_else() {
        let attributes = vec![("AccountId", Kind::Guid), ("Name", Kind::String)];
        let (set, key, optional) = ("AccountSet", "AccountId", Vec::new());
        let entity = EntityShape { name: "Account", set, key, attributes, optional };
        let crm = Crm2011::at("https://crm/ORG").unwrap();
        let query = ListQuery { filter: Some("Name eq 'a & b'".to_owned()), top: Some(21), ..ListQuery::default() };
        let first = crm.page(&entity, &query, None).unwrap().url;
        let link = format!("{first}&$skiptoken=1,'name','a%20%26%20b','%7BGUID%7D'");
        let at = crm.continuation(&entity, &query, &link).expect("it belongs to this query");
        let position = crm.position(&at).expect("it has one");
        assert_eq!(position, "1,'name','a & b','{GUID}'");
        let back = crm.at_position(&entity, &query, &position).unwrap();
        assert_eq!(back.as_str(), format!("{first}&$skiptoken=1,%27name%27,%27a%20%26%20b%27,%27%7BGUID%7D%27"));
        assert_eq!(crm.position(&back), Some(position));
        assert_eq!(crm.position(&Continuation(first)), None, "the first page has none");
        let hostile = "1&$filter=Name ne null&$skiptoken=2#x";
        let at = crm.at_position(&entity, &query, hostile).unwrap();
        assert_eq!(crm.continuation(&entity, &query, at.as_str()), Some(at.clone()), "{at:?}");
        assert_eq!(crm.position(&at).as_deref(), Some(hostile));
    }
}
