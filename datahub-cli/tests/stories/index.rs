//! The list of stories, and the page that links them.

use std::fmt::Write as _;

use crate::{
    Story, add_a_field, add_a_required_field, add_a_type, document, drop_a_type, drop_fields, join_two_fields,
    make_a_text_a_choice, merge_two_types, move_fields_into_a_group, narrow_a_field, rename_a_field, rename_a_table,
    split_a_field, split_a_type, widen_a_field,
};

pub(crate) static STORIES: [Story; 15] = [
    Story {
        module: "add_a_field",
        title: "Add a field",
        sentence: "Organisations get a fax number, which fills itself from what the hub has already seen.",
        overlap: true,
        tell: |stage| Box::pin(add_a_field::tell(stage)),
    },
    Story {
        module: "add_a_required_field",
        title: "Add a required field",
        sentence: "Products get a number that is never null: it is read from CDMS first, and required afterwards.",
        overlap: true,
        tell: |stage| Box::pin(add_a_required_field::tell(stage)),
    },
    Story {
        module: "rename_a_field",
        title: "Rename a field",
        sentence: "The topic of a lead becomes its subject.",
        overlap: true,
        tell: |stage| Box::pin(rename_a_field::tell(stage)),
    },
    Story {
        module: "rename_a_table",
        title: "Rename a type and its table",
        sentence: "Deals become opportunities.",
        overlap: false,
        tell: |stage| Box::pin(rename_a_table::tell(stage)),
    },
    Story {
        module: "widen_a_field",
        title: "Widen a field",
        sentence: "Discounts get four decimal places instead of two.",
        overlap: false,
        tell: |stage| Box::pin(widen_a_field::tell(stage)),
    },
    Story {
        module: "narrow_a_field",
        title: "Narrow a field",
        sentence: "A count of 64 bits becomes one of 32; a value that does not fit stops the change.",
        overlap: false,
        tell: |stage| Box::pin(narrow_a_field::tell(stage)),
    },
    Story {
        module: "make_a_text_a_choice",
        title: "Make a text a choice",
        sentence: "The urgency of a case, which people type into a text of CDMS, becomes an enum in the hub.",
        overlap: true,
        tell: |stage| Box::pin(make_a_text_a_choice::tell(stage)),
    },
    Story {
        module: "split_a_field",
        title: "Split one field in two",
        sentence: "Opening hours that only the hub has, `09:00-17:00`, become two fields, with some SQL by hand.",
        overlap: true,
        tell: |stage| Box::pin(split_a_field::tell(stage)),
    },
    Story {
        module: "join_two_fields",
        title: "Join two fields",
        sentence: "The first and the last name of a contact become one name in the hub, and stay two in CDMS.",
        overlap: true,
        tell: |stage| Box::pin(join_two_fields::tell(stage)),
    },
    Story {
        module: "move_fields_into_a_group",
        title: "Move fields into a group",
        sentence: "The street and the town of a competitor become its address.",
        overlap: true,
        tell: |stage| Box::pin(move_fields_into_a_group::tell(stage)),
    },
    Story {
        module: "add_a_type",
        title: "Add a type",
        sentence: "Queues of CDMS come into the hub.",
        overlap: true,
        tell: |stage| Box::pin(add_a_type::tell(stage)),
    },
    Story {
        module: "split_a_type",
        title: "Split a type in two",
        sentence: "Partners become suppliers and customers, by a condition on the records of CDMS.",
        overlap: true,
        tell: |stage| Box::pin(split_a_type::tell(stage)),
    },
    Story {
        module: "merge_two_types",
        title: "Merge two types",
        sentence: "Visits and calls become meetings.",
        overlap: true,
        tell: |stage| Box::pin(merge_two_types::tell(stage)),
    },
    Story {
        module: "drop_fields",
        title: "Drop a field",
        sentence: "Territories lose a description, which CDMS has, and a nickname, which only the hub has.",
        overlap: true,
        tell: |stage| Box::pin(drop_fields::tell(stage)),
    },
    Story {
        module: "drop_a_type",
        title: "Drop a type",
        sentence: "Leaflets leave the hub; CDMS keeps them, and the history keeps what happened.",
        overlap: true,
        tell: |stage| Box::pin(drop_a_type::tell(stage)),
    },
];

/// Asserts that the page that links the stories has all of them.
pub(crate) fn is_recorded() {
    let mut page = "# Remodelling stories\n\n\
        How a model changes while programs use it: what to edit, which commands to run, what they answer, and what is left \
        to do by hand. Each page is the record of a run on SQLite and on PostgreSQL, with data in the tables, with CDMS \
        being edited, and with programs reading and writing all the time. [Migrations](../migrations.md) explains the \
        commands and the files.\n\n\
        | story | what happens | old and new side by side |\n|---|---|---|\n"
        .to_owned();
    for (number, story) in (1..).zip(&STORIES) {
        let Story { title, sentence, overlap, .. } = story;
        let overlap = if *overlap { "yes" } else { "no" };
        _ = writeln!(page, "| [{title}]({}) | {sentence} | {overlap} |", story.file(number));
    }
    page.push_str(
        "\nThe models are in [tests/stories](../../tests/stories): `before` each change, and `after` it. \
         `DATAHUB_DOCS=overwrite cargo test --workspace --all-features --test stories` renews the pages.\n",
    );
    document::is_recorded("stories/README.md", &page);
}
