//! Forms as browsers read them, however a page is written.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

use datahub_login::{Document, DocumentFault, FieldKind, Form};

fn document(html: &str) -> Document {
    Document::read(html).unwrap()
}

fn only(html: &str) -> Form {
    let document = document(html);
    assert_eq!(document.forms().len(), 1, "{html}");
    document.forms()[0].clone()
}

#[test]
fn a_form_has_its_address_and_what_a_browser_sends() {
    let form = only(
        "<FORM ID=loginForm name='f' METHOD='POST' action=\"/adfs/ls/?a=1&amp;b=2\">\
         <input type=hidden name=token value='&lt;a b=&quot;c&quot;&gt; &amp;amp; &#x1F600;'>\
         <INPUT NAME=user><input type=\"Password\" name='pw'/><input type=checkbox name=keep value=yes>\
         <input type=checkbox name=stay checked><input type=radio name=way value=a><input type=radio name=way value=b checked>\
         <input name=off value=x disabled><input type=file name=file><input value=nameless>\
         <button type=button name=no value=1></button><button name=go value=in>In</button><input type=submit name=go2 value=x>\
         </FORM>",
    );
    assert_eq!((form.id(), form.name(), form.action()), (Some("loginForm"), Some("f"), Some("/adfs/ls/?a=1&b=2")));
    assert!(form.is_posted());
    let token = ("token", "<a b=\"c\"> &amp; \u{1f600}");
    assert_eq!(form.pairs(), [token, ("user", ""), ("pw", ""), ("stay", "on"), ("way", "b"), ("go", "in")]);
    let kinds: Vec<_> = form.fields().iter().map(|field| field.kind).collect();
    use FieldKind::{Button, Hidden, Other, Password, Text};
    assert_eq!(kinds, [Hidden, Text, Password, Other, Other, Button]);
}

#[test]
fn a_field_belongs_to_the_form_that_it_stands_in_or_names() {
    let document = document(
        "<input name=outside><form id=a><div><form id=nested><input name=one></div><input name=two form=b></form>\
         <input name=between><form id=b><input name=three></form><input name=four form=a><input name=five form=none>",
    );
    let shown: Vec<_> = document.forms().iter().map(|form| (form.id().unwrap(), form.pairs())).collect();
    assert_eq!(shown, [("a", vec![("one", ""), ("four", "")]), ("b", vec![("two", ""), ("three", "")])]);
}

#[test]
fn what_only_looks_like_a_form_is_none() {
    for html in [
        "<!-- <form><input type=password name=p></form> -->",
        "<script>document.write('<form><input type=password name=p></form>')</script>",
        "<style>a { content: '<form>' }</style>",
        "<title><form></title>",
        "<textarea><form></textarea>",
        "<iframe><form></iframe><noframes><form></noframes><xmp><form></xmp>",
        "&lt;form&gt;",
        "<formx><input name=a></formx>",
        "<plaintext><form>",
    ] {
        assert_eq!(document(html).forms().len(), 0, "{html}");
    }
    assert_eq!(only("<noscript><form><input name=a></form></noscript>").pairs(), [("a", "")], "no scripts run here");
}

#[test]
fn lists_and_lines_have_the_values_that_a_browser_sends() {
    let form = only(
        "<form><select name=domain><option>  East \n End<option value=w selected>West</select>\
         <select name=first><option value=1>One</option><option value=2>Two</option></select><select name=none></select>\
         <textarea name=note>\n a <b>&amp;\n</textarea><textarea name=open>x",
    );
    let lines = ("note", " a <b>&\n");
    assert_eq!(form.pairs(), [("domain", "w"), ("first", "1"), ("none", ""), lines, ("open", "x")]);
    assert_eq!(only("<form><select name=d><option>  East \n End</select></form>").pairs(), [("d", "East End")]);
}

#[test]
fn a_form_that_would_show_its_fields_in_an_address_is_not_posted() {
    for attributes in [
        "",
        "method=get",
        "method=dialog",
        "method=post enctype='multipart/form-data'",
        "method=post enctype=text/plain",
    ] {
        assert!(!only(&format!("<form {attributes}></form>")).is_posted(), "{attributes}");
    }
    for attributes in [
        "method=POST",
        "method=' post '",
        "method=post enctype=''",
        "method=post enctype='Application/x-www-form-urlencoded'",
    ] {
        assert!(only(&format!("<form {attributes}></form>")).is_posted(), "{attributes}");
    }
}

#[test]
fn filling_in_takes_only_fields_that_are_there() {
    let mut form = only("<form><input name=a><input name=a><input type=password name=p></form>");
    assert!(form.fill("a", "1") && !form.fill("b", "2") && !form.has_password());
    assert!(form.fill("p", "hunter2") && form.has_password());
    assert_eq!(form.pairs(), [("a", "1"), ("a", ""), ("p", "hunter2")]);
    assert_eq!(format!("{form:?}").matches("hunter2").count(), 0, "{form:?}");
}

#[test]
fn the_text_of_an_element_is_found_by_its_id() {
    let html = "<html><head><title> Sign\n in </title><style>x</style></head><body><p id=a>One <b id=b>two</b><br> three\
        <script id=s>four</script></p><div id=c> </div><div id=c>five</div><span id=open>six</body>";
    let document = document(html);
    assert_eq!(document.title(), "Sign in");
    let text = |id: &str| document.text_where(|found| found == id);
    assert_eq!(text("a").as_deref(), Some("One two three"));
    assert_eq!(text("b").as_deref(), Some("two"));
    assert_eq!(text("c").as_deref(), Some("five"), "the first one has no text");
    assert_eq!(text("open").as_deref(), Some("six"));
    assert_eq!((text("s"), text("d")), (None, None));
}

#[test]
fn a_page_that_is_made_to_cost_much_does_not() {
    let begun = std::time::Instant::now();
    let nested = "<div id=x>".repeat(20_000);
    let document = document(&format!("{nested}<form><input name=a></form>{}", "</p></div>".repeat(20_000)));
    assert_eq!(document.forms().len(), 1);
    for html in ["<a ".repeat(70_000), "<".repeat(200_000), "&".repeat(200_000), "<form>".repeat(30_000)] {
        assert!(Document::read(&html).is_ok());
    }
    // A second, and a minute if the cost were the square of the length.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(Document::read(&"<form></form>".repeat(101)).unwrap_err(), DocumentFault::Forms);
    let fields = format!("<form>{}", "<input name=a>".repeat(2_001));
    assert_eq!(Document::read(&fields).unwrap_err(), DocumentFault::Fields);
}
