//! Contracts against a `$metadata` snapshot.

use datahub_model::diagnostic::Code::{MissingKey, NotInMetadata, UnknownAttribute, UnknownKey, WrongKind, WrongValue};

use crate::row::{Row, faulty_metadata, metadata};

/// A small organisation.
pub(crate) const METADATA: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
 <edmx:DataServices m:DataServiceVersion="2.0" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
  <Schema Namespace="Example" xmlns="http://schemas.microsoft.com/ado/2009/11/edm">
   <EntityType Name="Account">
    <Key><PropertyRef Name="AccountId"/></Key>
    <Property Name="AccountId" Type="Edm.Guid" Nullable="false"/>
    <Property Name="Name" Type="Edm.String" Nullable="true"/>
    <Property Name="Fax" Type="Edm.String" Nullable="true"/>
    <Property Name="Count" Type="Edm.Int32" Nullable="true"/>
    <Property Name="Views" Type="Edm.Int64" Nullable="true"/>
    <Property Name="Area" Type="Edm.Decimal" Nullable="true"/>
    <Property Name="Ratio" Type="Edm.Double" Nullable="true"/>
    <Property Name="Limit" Type="Example.Money" Nullable="true"/>
    <Property Name="Verified" Type="Edm.Boolean" Nullable="true"/>
    <Property Name="Since" Type="Edm.DateTime" Nullable="true"/>
    <Property Name="Industry" Type="Example.OptionSetValue" Nullable="true"/>
    <Property Name="Customizable" Type="Example.BooleanManagedProperty" Nullable="true"/>
    <Property Name="Parent" Type="Example.EntityReference" Nullable="true"/>
    <Property Name="ModifiedOn" Type="Edm.DateTime" Nullable="true"/>
    <Property Name="CreatedOn" Type="Edm.DateTime" Nullable="true"/>
    <Property Name="ModifiedBy" Type="Example.EntityReference" Nullable="true"/>
    <NavigationProperty Name="Referencedaccount_parent" Relationship="Example.account_parent" FromRole="of" ToRole="parent"/>
    <NavigationProperty Name="Referencingaccount_parent" Relationship="Example.account_parent" FromRole="parent" ToRole="of"/>
    <NavigationProperty Name="account_task" Relationship="Example.account_task" FromRole="account" ToRole="task"/>
   </EntityType>
   <EntityType Name="Task">
    <Key><PropertyRef Name="ActivityId"/></Key>
    <Property Name="ActivityId" Type="Edm.Guid" Nullable="false"/>
    <Property Name="ChangedOn" Type="Edm.DateTime" Nullable="true"/>
    <Property Name="CreatedOn" Type="Edm.DateTime" Nullable="true"/>
    <Property Name="ModifiedBy" Type="Example.EntityReference" Nullable="true"/>
   </EntityType>
   <ComplexType Name="EntityReference"><Property Name="Id" Type="Edm.Guid" Nullable="true"/></ComplexType>
   <ComplexType Name="OptionSetValue"><Property Name="Value" Type="Edm.Int32" Nullable="true"/></ComplexType>
   <ComplexType Name="Money"><Property Name="Value" Type="Edm.Decimal" Nullable="true"/></ComplexType>
   <Association Name="account_parent">
    <End Role="of" Type="Example.Account" Multiplicity="*"/>
    <End Role="parent" Type="Example.Account" Multiplicity="0..1"/>
   </Association>
   <Association Name="account_task">
    <End Role="account" Type="Example.Account" Multiplicity="*"/>
    <End Role="task" Type="Example.Task" Multiplicity="0..1"/>
   </Association>
   <EntityContainer Name="Context" m:IsDefaultEntityContainer="true">
    <EntitySet Name="AccountSet" EntityType="Example.Account"/>
    <EntitySet Name="Tasks" EntityType="Example.Task"/>
    <AssociationSet Name="account_parents" Association="Example.account_parent">
     <End Role="of" EntitySet="AccountSet"/>
     <End Role="parent" EntitySet="AccountSet"/>
    </AssociationSet>
    <AssociationSet Name="account_tasks" Association="Example.account_task">
     <End Role="account" EntitySet="AccountSet"/>
     <End Role="task" EntitySet="Tasks"/>
    </AssociationSet>
   </EntityContainer>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>"#;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        metadata("a contract of nothing", "entity = 'Account'"),
        metadata(
            "each type as each kind that it can be",
            "entity = 'Account'\n[attributes]\nName = { kind = 'string' }\nCount = { kind = 'integer' }\nViews = { kind = 'bigint' }\n\
             Area = { kind = 'decimal', scale = 2 }\nRatio = { kind = 'double' }\nLimit = { kind = 'money' }\nVerified = { kind = 'boolean' }\n\
             Since = { kind = 'datetime' }\nIndustry = { kind = 'choice' }\nParent = { kind = 'lookup', target = 'account' }\n\
             AccountId = { kind = 'guid' }\n[unmapped]\nFax = 'not used'",
        ),
        metadata("a time as a date", "entity = 'Account'\n[attributes]\nSince = { kind = 'date', zone = 'UTC' }"),
        metadata("options as a state", "entity = 'Account'\n[attributes]\nIndustry = { kind = 'state' }"),
        metadata("options as a status", "entity = 'Account'\n[attributes]\nIndustry = { kind = 'status' }"),
        metadata(
            "irregular names, stated",
            "entity = 'Task'\nset = 'Tasks'\nkey = 'ActivityId'\nmodified = 'ChangedOn'",
        ),
        faulty_metadata(
            "a lookup that points to no entity",
            "entity = 'Account'\n[attributes]\nParent = { kind = 'lookup', target = ['account', 'taks', 'zebra'] }",
            &[
                (NotInMetadata, "3:1", "unknown target `taks` of `Parent`: $metadata has no such entity"),
                (NotInMetadata, "3:1", "unknown target `zebra` of `Parent`: $metadata has no such entity"),
            ],
        ),
        metadata(
            "a way to a related record",
            "entity = 'Account'\n[attributes]\nParent = { kind = 'lookup', target = 'account', navigation = 'Referencedaccount_parent' }",
        ),
        faulty_metadata(
            "a way to a related record that does not exist",
            "entity = 'Account'\n[attributes]\nParent = { kind = 'lookup', target = 'account', navigation = 'ReferencedAccount_parent' }",
            &[(
                NotInMetadata,
                "3:1",
                "`ReferencedAccount_parent` is not a navigation property of `Account` in $metadata",
            )],
        ),
        faulty_metadata(
            "a way to many records, and to another entity's",
            "entity = 'Account'\n[attributes]\nParent = { kind = 'lookup', target = 'account', navigation = 'Referencingaccount_parent' }\n\
             ModifiedBy = { kind = 'lookup', target = 'account', navigation = 'account_task' }",
            &[
                (
                    NotInMetadata,
                    "3:1",
                    "`Referencingaccount_parent` does not lead from `Account` to one account in $metadata",
                ),
                (NotInMetadata, "4:1", "`account_task` does not lead from `Account` to one account in $metadata"),
            ],
        ),
        faulty_metadata(
            "an attribute of CDMS that the contract does not state",
            "entity = 'Account'\n[attributes]\nName = { kind = 'string' }\n[groups.numbers]\nfax = 'Fax'",
            &[(UnknownAttribute, "5:7", "CDMS has this attribute: state it in the contract's [attributes]")],
        ),
        faulty_metadata(
            "a misspelt entity",
            "# accounts\nentity = 'Acount'",
            &[(NotInMetadata, "2:10", "did you mean `Account`?")],
        ),
        faulty_metadata(
            "irregular names, not stated",
            "entity = 'Task'",
            &[
                (NotInMetadata, "1:10", "write `set = \"Tasks\"`"),
                (NotInMetadata, "1:10", "write `key = \"ActivityId\"`"),
                (NotInMetadata, "1:10", "did you mean `ModifiedBy`?"),
            ],
        ),
        faulty_metadata(
            "irregular names, stated wrongly, each on its own line",
            "entity = 'Task'\nset = 'TaskSet'\nkey = 'TaskId'\nmodified = 'ChangedAt'\ncreated = 'MadeOn'\n\
             modified-by = 'Editor'",
            &[
                (NotInMetadata, "2:7", "write `set = \"Tasks\"`"),
                (NotInMetadata, "3:7", "write `key = \"ActivityId\"`"),
                (
                    NotInMetadata,
                    "4:12",
                    "`ChangedAt`, the attribute for `modified`, is not an attribute of `Task` in $metadata",
                ),
                (NotInMetadata, "5:11", "name the right attribute with `created = \"…\"`"),
                (NotInMetadata, "6:15", "name the right attribute with `modified-by = \"…\"`"),
            ],
        ),
        faulty_metadata(
            "what the engine follows, of other types",
            "entity = 'Account'\nmodified = 'Name'\ncreated = 'Count'\nmodified-by = 'ModifiedOn'",
            &[
                (
                    WrongKind,
                    "2:12",
                    "`modified` must be an attribute of kind datetime, but `Name` has the type `Edm.String` in $metadata",
                ),
                (WrongKind, "3:11", "name the right attribute with `created = \"…\"`"),
                (
                    WrongKind,
                    "4:15",
                    "`modified-by` must be an attribute of kind lookup, but `ModifiedOn` has the type `Edm.DateTime` in $metadata",
                ),
            ],
        ),
        faulty_metadata(
            "a type that no kind is of",
            "entity = 'Account'\n[attributes]\nCustomizable = { kind = 'boolean' }",
            &[(WrongKind, "3:1", "no kind has this type; move `Customizable` to [unmapped] with that reason")],
        ),
        faulty_metadata(
            "the wrong key, stated",
            "entity = 'Account'\nkey = 'Id'",
            &[(NotInMetadata, "2:7", "the key of `Account` is `AccountId` in $metadata, not `Id`")],
        ),
        faulty_metadata(
            "a property in another case",
            "entity = 'Account'\n[attributes]\nname = { kind = 'string' }",
            &[(NotInMetadata, "3:1", "did you mean `Name`?")],
        ),
        faulty_metadata(
            "attributes of another kind",
            "entity = 'Account'\n[attributes]\nCount = { kind = 'string' }\nSince = { kind = 'boolean' }",
            &[
                (WrongKind, "3:1", "`Count` cannot be of kind string: its type in $metadata is `Edm.Int32`"),
                (WrongKind, "4:1", "write `kind = \"datetime\"` or `kind = \"date\"`"),
            ],
        ),
        faulty_metadata(
            "an attribute whose other words are faulty",
            "entity = 'Account'\n[attributes]\nCount = { kind = 'string', requird = true }\nNme = { required = true }\n\
             Since = 'date'",
            &[
                (WrongKind, "3:1", "`Count` cannot be of kind string: its type in $metadata is `Edm.Int32`"),
                (UnknownKey, "3:28", "did you mean `required`?"),
                (MissingKey, "4:1", "`Nme` is missing `kind`"),
                (NotInMetadata, "4:1", "did you mean `Name`?"),
                (WrongValue, "5:9", "`Since` must be a table, found a string"),
            ],
        ),
        faulty_metadata(
            "attributes without a kind, which $metadata knows",
            "entity = 'Account'\n[attributes]\nCount = {}\nSince = {}\nCustomizable = {}",
            &[
                (MissingKey, "3:1", "help: add `kind = \"integer\"`"),
                (MissingKey, "4:1", "help: add `kind = \"datetime\"` or `kind = \"date\"`"),
                (MissingKey, "5:1", "add `kind = \"string\"`, or another kind"),
            ],
        ),
        faulty_metadata(
            "left out, and not there",
            "entity = 'Account'\n[unmapped]\nPager = 'not used'",
            &[(NotInMetadata, "3:1", "`Pager` in")],
        ),
    ]
}

#[test]
fn metadata_as_rows() {
    crate::check(rows());
}
