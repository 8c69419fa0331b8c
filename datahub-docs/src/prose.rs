//! Doc comments, which are Markdown, as HTML without anything that could act on a page.

use pulldown_cmark::{BrokenLink, CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A doc comment as HTML: paragraphs, lists and code. Headings become bold paragraphs, since a page has its own, and HTML in the
/// comment is shown as text.
pub(crate) fn html(docs: &str) -> String {
    // A link to an item of Rust has no address here; its text is shown as code by itself.
    let mut to_items = |link: BrokenLink<'_>| Some((CowStr::from(format!("#{}", link.reference)), CowStr::from("")));
    let parser = Parser::new_with_broken_link_callback(docs, Options::ENABLE_TABLES, Some(&mut to_items));
    let mut is_dropped = Vec::new();
    let events = parser.filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Heading { .. }) => Some(Event::Html("<p><strong>".into())),
        Event::End(TagEnd::Heading(_)) => Some(Event::Html("</strong></p>".into())),
        // Nothing is loaded from elsewhere: an image is its description.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let is_address = dest_url.starts_with("https://") || dest_url.starts_with("http://");
            is_dropped.push(!is_address);
            is_address.then_some(event)
        }
        Event::End(TagEnd::Link) => (!is_dropped.pop().unwrap_or(true)).then_some(event),
        other => Some(other),
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

/// A sentence with backticks as HTML, without a paragraph around it.
pub(crate) fn inline(sentence: &str) -> String {
    let html = html(sentence);
    let html = html.trim();
    html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).unwrap_or(html).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{html, inline};

    #[test]
    fn a_doc_comment_cannot_act_on_a_page() {
        let made = html(
            "A <script>alert(1)</script> with [`Phone`], [a page](https://example.org) and [x](javascript:alert(1)).",
        );
        assert!(!made.contains("<script") && !made.contains("javascript"), "{made}");
        assert!(
            made.contains("<code>Phone</code>") && made.contains("<a href=\"https://example.org\">a page</a>"),
            "{made}"
        );
        assert_eq!(html("# Title"), "<p><strong>Title</strong></p>");
        assert_eq!(html("![an image](https://example.org/x.png)"), "<p>an image</p>\n");
    }

    #[test]
    fn a_sentence_has_no_paragraph() {
        assert_eq!(inline("Becomes `x < y`."), "Becomes <code>x &lt; y</code>.");
    }
}
