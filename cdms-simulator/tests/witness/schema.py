"""The schema of the tests as a `$metadata` document, and a parser for such documents."""

import xml.etree.ElementTree

NAMESPACE = "Microsoft.Crm.Sdk.Data.Services"

ENTITIES = {
    "Account": ("AccountId", {
        "AccountId": "Edm.Guid", "Name": "Edm.String", "NumberOfEmployees": "Edm.Int32", "DoNotPhone": "Edm.Boolean",
        "ExchangeRate": "Edm.Decimal", "Merged": "Edm.Boolean", "Address1_AddressId": "Edm.Guid",
        "Address1_City": "Edm.String",
        "Address1_Latitude": "Edm.Double", "Address2_AddressId": "Edm.Guid", "Address2_City": "Edm.String",
        "LastVerified": "Edm.DateTime", "CreatedOn": "Edm.DateTime", "ModifiedOn": "Edm.DateTime",
        "VersionNumber": "Edm.Int64", "IndustryCode": "OptionSetValue", "Revenue": "Money",
        "Revenue_Base": "Money", "TransactionCurrencyId": "EntityReference",
        "PrimaryContactId": "EntityReference", "CreatedBy": "EntityReference", "ModifiedBy": "EntityReference",
        "OwnerId": "EntityReference", "OwningUser": "EntityReference",
        "StateCode": "OptionSetValue", "StatusCode": "OptionSetValue",
    }),
    "Contact": ("ContactId", {
        "ContactId": "Edm.Guid", "FirstName": "Edm.String", "LastName": "Edm.String", "FullName": "Edm.String",
        "ParentCustomerId": "EntityReference", "ModifiedOn": "Edm.DateTime",
    }),
    "CustomerAddress": ("CustomerAddressId", {
        "CustomerAddressId": "Edm.Guid", "AddressNumber": "Edm.Int32", "City": "Edm.String", "Latitude": "Edm.Double",
        "ParentId": "EntityReference", "ModifiedOn": "Edm.DateTime",
    }),
    "optevia_sector": ("optevia_sectorId", {
        "optevia_sectorId": "Edm.Guid", "optevia_name": "Edm.String", "statecode": "OptionSetValue",
        "statuscode": "OptionSetValue",
    }),
    "detica_interaction": ("ActivityId", {
        "ActivityId": "Edm.Guid", "Subject": "Edm.String", "StateCode": "OptionSetValue",
        "StatusCode": "OptionSetValue",
    }),
}
NAVIGATION = {"Account": ["account_primary_contact", "contact_customer_accounts"]}


def document():
    types, sets, relations = "", "", ""
    for name, (key, properties) in ENTITIES.items():
        types += f'<EntityType Name="{name}"><Key><PropertyRef Name="{key}"/></Key>'
        for attribute, kind in properties.items():
            kind = kind if kind.startswith("Edm.") else f"{NAMESPACE}.{kind}"
            types += f'<Property Name="{attribute}" Type="{kind}"/>'
        for end in NAVIGATION.get(name, []):
            types += (f'<NavigationProperty Name="{end}" Relationship="{NAMESPACE}.{end}" '
                      'FromRole="a" ToRole="b"/>')
            here, there = ("0..1", "*") if end.startswith("contact_") else ("*", "0..1")
            relations += (f'<Association Name="{end}"><End Role="a" Type="{NAMESPACE}.{name}" Multiplicity="{here}"/>'
                          f'<End Role="b" Type="{NAMESPACE}.Contact" Multiplicity="{there}"/></Association>')
        types += "</EntityType>"
        sets += f'<EntitySet Name="{name}Set" EntityType="{NAMESPACE}.{name}"/>'
    return (
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">{types}{relations}'
        f'<EntityContainer Name="ORGContext">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )


def described(text):
    """Sets, keys, typed properties and navigation properties of a document, in any XML namespace."""
    root = xml.etree.ElementTree.fromstring(text)
    sets = {entry.get("EntityType").rsplit(".", 1)[1]: entry.get("Name") for entry in root.findall(".//{*}EntitySet")}
    return {
        entity.get("Name"): (
            sets.get(entity.get("Name")),
            entity.find("{*}Key/{*}PropertyRef").get("Name"),
            {entry.get("Name"): entry.get("Type") for entry in entity.findall("{*}Property")},
            [entry.get("Name") for entry in entity.findall("{*}NavigationProperty")],
        )
        for entity in root.findall(".//{*}EntityType")
    }
