//! Doc comments, which are Markdown, as HTML and as Markdown without anything that could act on a page.

use std::ops::Range;

use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

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
            let is_kept = is_address(dest_url);
            is_dropped.push(!is_kept);
            is_kept.then_some(event)
        }
        Event::End(TagEnd::Link) => (!is_dropped.pop().unwrap_or(true)).then_some(event),
        other => Some(other),
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

fn is_address(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

/// A doc comment as Markdown for a page of Markdown, with the same rules as [`html`].
pub(crate) fn markdown(docs: &str) -> String {
    let mut to_items = |link: BrokenLink<'_>| Some((CowStr::from(format!("#{}", link.reference)), CowStr::from("")));
    let parser = Parser::new_with_broken_link_callback(docs, Options::ENABLE_TABLES, Some(&mut to_items));
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut opened: Vec<Opened> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::End(_) => {
                let Some(closed) = opened.pop() else { continue };
                if let Some([before, after]) = closed.marks {
                    let inner = closed.inner.unwrap_or(closed.range.end..closed.range.end);
                    edits.push((closed.range.start..inner.start, before.to_owned()));
                    edits.push((inner.end..closed.range.end, after.to_owned()));
                }
                continue;
            }
            Event::Html(_) | Event::InlineHtml(_) => {
                let less = docs[range.clone()].match_indices('<');
                edits.extend(less.map(|(at, _)| (range.start + at..range.start + at + 1, "&lt;".to_owned())));
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) if opened.is_empty() => {
                // A block without an end would take in the rest of the page.
                edits.extend(missing_fence(&docs[range.clone()]).map(|fence| (range.end..range.end, fence)));
            }
            _ => {}
        }
        if let Some(Opened { inner, .. }) = opened.last_mut() {
            let begin = inner.as_ref().map_or(range.start, |inner| inner.start);
            *inner = Some(begin..range.end);
        }
        if let Event::Start(tag) = event {
            let marks = match tag {
                Tag::Heading { .. } => Some(["**", "**\n"]),
                Tag::Image { .. } => Some(["", ""]),
                Tag::Link { ref dest_url, .. } if !is_address(dest_url) => Some(["", ""]),
                _ => None,
            };
            opened.push(Opened { range, inner: None, marks });
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut text, mut at) = (String::new(), 0);
    for (range, instead) in edits {
        text += &docs[at..range.start];
        text += &instead;
        at = range.end;
    }
    text + &docs[at..]
}

/// An element whose end has not come yet.
struct Opened {
    range: Range<usize>,
    /// What is between its marks, as far as it is known.
    inner: Option<Range<usize>>,
    /// The marks that it gets instead of its own, if it gets others.
    marks: Option<[&'static str; 2]>,
}

/// The line that ends a block of code, if the block has none.
fn missing_fence(block: &str) -> Option<String> {
    let mark = block.chars().next()?;
    let fence: String = block.chars().take_while(|letter| *letter == mark).collect();
    let last = block.lines().skip(1).last().unwrap_or_default().trim();
    let is_end = last.len() >= fence.len() && last.chars().all(|letter| letter == mark);
    (!is_end).then(|| format!("\n{fence}"))
}

/// A sentence with backticks as HTML, without a paragraph around it.
pub(crate) fn inline(sentence: &str) -> String {
    let html = html(sentence);
    let html = html.trim();
    html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).unwrap_or(html).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{html, inline, markdown};

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
    fn a_doc_comment_cannot_act_on_a_page_of_markdown() {
        for (docs, expected) in [
            ("A *b* `<c>` with [`Phone`].\n\n- d\n- e", "A *b* `<c>` with `Phone`.\n\n- d\n- e"),
            ("A <script>alert(1)</script>.", "A &lt;script>alert(1)&lt;/script>."),
            ("<!-- A\n\nB", "&lt;!-- A\n\nB"),
            ("[a](https://example.org) [b](javascript:alert(1)) [c](../d.md)", "[a](https://example.org) b c"),
            ("![an image](https://example.org/x.png)", "an image"),
            ("# Title\nText\n\nOther\n===\n", "**Title**\nText\n\n**Other**\n"),
            ("```rust\nlet a = \"<b>\";", "```rust\nlet a = \"<b>\";\n```"),
            ("~~~\na\n~~~\n", "~~~\na\n~~~\n"),
        ] {
            assert_eq!(markdown(docs), expected);
        }
    }

    #[test]
    fn a_sentence_has_no_paragraph() {
        assert_eq!(inline("Becomes `x < y`."), "Becomes <code>x &lt; y</code>.");
    }
}
