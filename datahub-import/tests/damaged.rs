//! Documents that cannot be used: none panics, and each is named with what is wrong and what to do.
#![cfg(test)]

use std::io::Write as _;

use datahub_import::{DOCUMENT_MAX, Source, Wanted, merge, unite};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const METADATA: &str = include_str!("fixtures/metadata.xml");
const SOLUTION: &str = include_str!("fixtures/customizations.xml");

fn reason(bytes: &[u8]) -> String {
    Source::read("file", bytes).map(|_| "read".to_owned()).unwrap_or_else(|error| error.to_string())
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn each_unusable_document_says_what_is_wrong() {
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("nothing", Vec::new(), "file: is empty"),
        ("no XML", b"entity = \"Account\"".to_vec(), "is not XML; expected `$metadata`"),
        ("no text", vec![b'<', 0xc3, 0x28, 0xff], "line 1 is not UTF-8 text"),
        ("a page of a login", b"<html><body>Sign in</body></html>".to_vec(), "is a web page, perhaps that of a login"),
        ("another document", b"<feed/>".to_vec(), "has the root element `feed`; expected"),
        ("the manifest of a solution", b"<ImportExportXml><SolutionManifest/></ImportExportXml>".to_vec(), "says nothing of any entity's"),
        ("no types", b"<Edmx/>".to_vec(), "no entity types found"),
        ("a DTD", b"<!DOCTYPE x [<!ENTITY a \"b\">]><Edmx>&a;</Edmx>".to_vec(), "has a document type definition"),
        ("an entity without a DTD", b"<Edmx>&lol;</Edmx>".to_vec(), "line 1 is not valid XML"),
        (
            "an error of the service",
            b"<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultstring>No such entity</faultstring></s:Fault></s:Body></s:Envelope>".to_vec(),
            "is an error of the SOAP service: No such entity",
        ),
        ("a zip of something else", zipped(&[("solution.xml", b"<x/>")]), "is a zip without customizations.xml"),
        ("half a zip", zipped(&[("customizations.xml", SOLUTION.as_bytes())])[..300].to_vec(), "is a damaged zip"),
        ("a zip with half a document", zipped(&[("customizations.xml", &SOLUTION.as_bytes()[..900])]), "it was cut off, so save it again"),
        ("half a document", METADATA.as_bytes()[..3000].to_vec(), "it was cut off, so save it again"),
    ];
    for (name, bytes, expected) in cases {
        let said = reason(&bytes);
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn a_zip_bomb_is_unpacked_no_further_than_a_document_may_be_long() {
    let mut bomb = b"<ImportExportXml>".to_vec();
    bomb.resize(DOCUMENT_MAX + 2, b' ');
    let zip = zipped(&[("customizations.xml", &bomb)]);
    assert!(zip.len() < 1 << 20, "{}", zip.len());
    assert!(reason(&zip).contains("customizations.xml in it is larger than 128 MB"), "{}", reason(&zip));
    assert!(reason(&bomb).contains("is larger than 128 MB"), "{}", reason(&bomb));
}

#[test]
fn a_zip_and_other_encodings_are_read() {
    let zip = zipped(&[
        ("[Content_Types].xml", b"<x/>"),
        ("solution.xml", b"<x/>"),
        ("customizations.xml", SOLUTION.as_bytes()),
    ]);
    assert_eq!(reason(&zip), "read");
    assert_eq!(reason(format!("\u{feff}{METADATA}").as_bytes()), "read");
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(METADATA.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(reason(&wide), "read");
    let wide: Vec<u8> = [0xfe, 0xff].into_iter().chain(SOLUTION.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    assert_eq!(reason(&wide), "read");
}

#[test]
fn documents_that_are_cut_off_anywhere_never_panic() {
    for text in [METADATA, SOLUTION, include_str!("fixtures/reply.xml")] {
        for at in (0..text.len()).step_by(97).filter(|at| text.is_char_boundary(*at)) {
            assert_ne!(reason(&text.as_bytes()[..at]), "read", "{at}");
        }
    }
}

/// Names become names of files and parts of Rust source, so that only names of CDMS may pass; labels end in comments.
#[test]
fn hostile_names_and_labels_stay_what_they_are() {
    let hostile = METADATA.replace("Name=\"acme_carrier\"", "Name=\"/tmp/acme_carrier\"");
    let hostile = hostile.replace("Services.acme_carrier\"", "Services./tmp/acme_carrier\"");
    let hostile = hostile.replace("\"acme_Parcels\"", "\"acme_&quot;) pub evil: ()&#10;\"");
    let solution = SOLUTION
        .replace("Kind of service", "Kind&#10;] of \u{202e}service \u{7f}")
        .replace("\"Shipment Order\"", "\"Ship&#10;[x] Order\"");
    let metadata = Source::read("m", hostile.as_bytes()).unwrap();
    let sources = [metadata, Source::read("s", solution.as_bytes()).unwrap()];
    let united = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
    assert!(united.entities.iter().all(|entity| !entity.name.contains(['/', '.'])));
    assert!(
        united
            .remarks
            .iter()
            .any(|remark| remark.text.contains("acme_carrier") && remark.text.contains("no valid name")),
        "{:?}",
        united.remarks
    );
    assert!(
        united.remarks.iter().any(|remark| remark.text.contains("pub evil") && remark.text.contains("left out")),
        "{:?}",
        united.remarks
    );
    for entity in &united.entities {
        let text = merge(None, None, entity, false).unwrap().text;
        assert!(datahub_model::source::Contract::parse(&text).into_result().is_ok(), "{text}");
        assert!(!text.contains("evil"), "{text}");
    }
}

/// What a document says is repeated in messages, on a terminal or in the log of a build.
#[test]
fn what_is_repeated_of_a_document_moves_nothing_on_a_terminal() {
    let odd = "acme&#x9b;2J\u{202e}x";
    let entity = |name: &str| {
        format!("<EntityMetadata><SchemaName>{name}</SchemaName><LogicalName>{name}</LogicalName></EntityMetadata>")
    };
    let reply = format!("<x>{}{}</x>", entity(odd), entity("Account"));
    let sources = [Source::read("reply", reply.as_bytes()).unwrap()];
    let mut told: Vec<_> = [odd, &format!("</{odd}>"), &format!("<e>{odd}</f>")]
        .map(|text| reason(format!("<Fault><Text>{text}</Text></Fault>").as_bytes()))
        .into();
    told.push(reason(format!("<{}/>", "x".repeat(100_000)).as_bytes()));
    told.push(reason(format!("<{}></y>", "x".repeat(100_000)).as_bytes()));
    assert!(told.iter().all(|told| told.len() < 4096), "{told:?}");
    let united = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
    told.extend(united.remarks.iter().map(ToString::to_string));
    assert!(told.iter().any(|told| told.contains("acme2Jx") && told.contains("no valid name")), "{told:?}");
    for told in told {
        assert!(!told.contains(|letter: char| letter.is_control() || letter == '\u{202e}'), "{told:?}");
    }
}

#[test]
fn an_entity_that_is_described_twice_in_other_letters_is_one() {
    let entity = |name: &str| {
        format!(
            "<EntityMetadata><SchemaName>{name}</SchemaName><PrimaryIdAttribute>{name}Id</PrimaryIdAttribute><Attributes>\
             <AttributeMetadata><SchemaName>{name}Id</SchemaName><AttributeType>Uniqueidentifier</AttributeType></AttributeMetadata>\
             <AttributeMetadata><SchemaName>ModifiedOn</SchemaName><AttributeType>DateTime</AttributeType></AttributeMetadata>\
             </Attributes></EntityMetadata>"
        )
    };
    let reply = format!("<x>{}{}{}</x>", entity("account"), entity("Lead"), entity("Account"));
    let sources = [Source::read("reply", reply.as_bytes()).unwrap()];
    let united = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
    let names: Vec<_> = united.entities.iter().map(|entity| entity.name.as_str()).collect();
    assert_eq!(names, ["Account", "Lead"]);
}

#[test]
fn what_a_lookup_refers_to_has_a_name_too() {
    let reply = "<EntityMetadata><SchemaName>Account</SchemaName><Attributes><AttributeMetadata><SchemaName>OwnerId</SchemaName>\
                 <AttributeType>Lookup</AttributeType><Targets><string>x y</string><string>team</string><string>Team</string>\
                 <string>../user</string></Targets></AttributeMetadata></Attributes><ManyToOneRelationships>\
                 <OneToManyRelationshipMetadata><SchemaName>a&amp;$filter=b</SchemaName><ReferencingAttribute>ownerid\
                 </ReferencingAttribute><ReferencedEntity>team</ReferencedEntity></OneToManyRelationshipMetadata>\
                 </ManyToOneRelationships></EntityMetadata>";
    let sources = [Source::read("reply", reply.as_bytes()).unwrap()];
    let united = unite(&sources, &Wanted { entities: None, zone: None }).unwrap();
    let text = merge(None, None, &united.entities[0], false).unwrap().text;
    assert!(text.contains("target = \"team\"") && !text.contains("filter") && !text.contains("user"), "{text}");
    assert!(datahub_model::source::Contract::parse(&text).into_result().is_ok(), "{text}");
}

/// A document whose elements are nested as deeply as fits ends neither the stack nor anybody's patience.
#[test]
fn documents_that_are_nested_deeply_are_read_or_refused() {
    const DEPTH: usize = 200_000;
    let began = std::time::Instant::now();
    for (open, close) in [
        ("<Edmx>", "</Edmx>"),
        ("<EntityMetadata>", "</EntityMetadata>"),
        ("<Attributes>", "</Attributes>"),
        ("<ImportExportXml>", "</ImportExportXml>"),
        ("<Fault>", "</Fault>"),
        ("<x xmlns:a=\"b\">", "</x>"),
    ] {
        let whole = [open.repeat(DEPTH), close.repeat(DEPTH)].concat();
        assert_ne!(reason(whole.as_bytes()), "", "{open}");
        assert_ne!(reason(&whole.as_bytes()[..whole.len() / 2]), "read", "{open}: it is cut off");
        _ = datahub_import::soap::fault(whole.as_bytes());
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}
