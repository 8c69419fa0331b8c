//! A simulator with a small schema, and a plain HTTP client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use cdms_odata::metadata::Metadata;
use cdms_odata::{Reference, Value};
use cdms_simulator::{Simulator, SimulatorBuilder, SimulatorClock};
use serde_json::Value as Json;
use uuid::Uuid;

/// The time at which the clock of every scene stands: 2016-10-05T12:52:30.123Z.
pub(crate) const NOON_MS: i64 = 1_475_671_950_123;
/// The same time as the service shows it: in whole seconds.
pub(crate) const NOON: &str = "/Date(1475671950000)/";

pub(crate) const ACCOUNT: Uuid = Uuid::from_u128(0x7a48_14f9_b0b8_ea11_a812_000d_3a12_2b89);
pub(crate) const OTHER: Uuid = Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff);

const SCHEMA: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "Account",
        "AccountId",
        &[
            "AccountId Edm.Guid",
            "Name Edm.String",
            "NumberOfEmployees Edm.Int32",
            "DoNotPhone Edm.Boolean",
            "ExchangeRate Edm.Decimal",
            "Merged Edm.Boolean",
            "Address1_AddressId Edm.Guid",
            "Address1_City Edm.String",
            "Address1_Latitude Edm.Double",
            "Address2_AddressId Edm.Guid",
            "Address2_City Edm.String",
            "optevia_LastVerified Edm.DateTime",
            "CreatedOn Edm.DateTime",
            "ModifiedOn Edm.DateTime",
            "VersionNumber Edm.Int64",
            "IndustryCode OptionSetValue",
            "Revenue Money",
            "Revenue_Base Money",
            "TransactionCurrencyId EntityReference",
            "PrimaryContactId EntityReference",
            "CreatedBy EntityReference",
            "ModifiedBy EntityReference",
            "OwnerId EntityReference",
            "OwningUser EntityReference",
            "StateCode OptionSetValue",
            "StatusCode OptionSetValue",
        ],
        &["account_primary_contact", "contact_customer_accounts"],
    ),
    (
        "Contact",
        "ContactId",
        &[
            "ContactId Edm.Guid",
            "FirstName Edm.String",
            "LastName Edm.String",
            "FullName Edm.String",
            "ParentCustomerId EntityReference",
            "ModifiedOn Edm.DateTime",
        ],
        &[],
    ),
    (
        "CustomerAddress",
        "CustomerAddressId",
        &[
            "CustomerAddressId Edm.Guid",
            "AddressNumber Edm.Int32",
            "City Edm.String",
            "Latitude Edm.Double",
            "ParentId EntityReference",
            "ModifiedOn Edm.DateTime",
        ],
        &[],
    ),
    (
        "optevia_sector",
        "optevia_sectorId",
        &[
            "optevia_sectorId Edm.Guid",
            "optevia_name Edm.String",
            "statecode OptionSetValue",
            "statuscode OptionSetValue",
        ],
        &[],
    ),
    (
        "detica_interaction",
        "ActivityId",
        &["ActivityId Edm.Guid", "Subject Edm.String", "StateCode OptionSetValue", "StatusCode OptionSetValue"],
        &[],
    ),
];

/// The schema of the scenes as a `$metadata` document; it has neither users nor organisations.
pub(crate) fn document() -> String {
    const NAMESPACE: &str = "Microsoft.Crm.Sdk.Data.Services";
    let (mut types, mut sets, mut relations) = (String::new(), String::new(), String::new());
    for (name, key, properties, navigation) in SCHEMA {
        types += &format!("<EntityType Name=\"{name}\"><Key><PropertyRef Name=\"{key}\"/></Key>");
        for property in *properties {
            let (property, edm) = property.split_once(' ').unwrap();
            let edm = if edm.starts_with("Edm.") { edm.to_owned() } else { format!("{NAMESPACE}.{edm}") };
            types += &format!("<Property Name=\"{property}\" Type=\"{edm}\"/>");
        }
        for end in *navigation {
            types += &format!(
                "<NavigationProperty Name=\"{end}\" Relationship=\"{NAMESPACE}.{end}\" FromRole=\"a\" ToRole=\"b\"/>"
            );
            let (here, there) = if end.starts_with("contact_") { ("0..1", "*") } else { ("*", "0..1") };
            relations += &format!(
                "<Association Name=\"{end}\"><End Role=\"a\" Type=\"{NAMESPACE}.{name}\" Multiplicity=\"{here}\"/>\
                 <End Role=\"b\" Type=\"{NAMESPACE}.Contact\" Multiplicity=\"{there}\"/></Association>"
            );
        }
        types += "</EntityType>";
        sets += &format!("<EntitySet Name=\"{name}Set\" EntityType=\"{NAMESPACE}.{name}\"/>");
    }
    format!(
        "<edmx:Edmx Version=\"1.0\" xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\"><edmx:DataServices>\
         <Schema Namespace=\"{NAMESPACE}\" xmlns=\"http://schemas.microsoft.com/ado/2008/09/edm\">{types}{relations}\
         <EntityContainer Name=\"ORGContext\">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    )
}

/// A simulator and its client. The clock stands at [`NOON_MS`].
pub(crate) struct Cdms {
    pub(crate) simulator: Simulator,
    client: reqwest::Client,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Cdms {
    pub(crate) fn start() -> Self {
        Cdms::with(|builder| builder)
    }

    /// Starts with other switches than usual.
    pub(crate) fn with(switches: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let builder = Simulator::builder()
            .metadata(Metadata::parse(&document()).unwrap())
            .clock(SimulatorClock::standing_at(NOON_MS));
        Cdms { simulator: switches(builder).start().unwrap(), client: client() }
    }

    /// The address of a resource under the service root.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.simulator.service_root())
    }

    /// A request to any address, without headers.
    pub(crate) fn plain(&self, method: &str, address: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), address)
    }

    /// A request under the service root that accepts JSON.
    pub(crate) fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.plain(method, &self.at(path)).header("accept", "application/json")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.ask("GET", path)).await
    }

    pub(crate) async fn create(&self, set: &str, body: impl Into<Json>) -> Reply {
        reply(self.ask("POST", set).body(body.into().to_string())).await
    }

    pub(crate) async fn merge(&self, record: &str, body: impl Into<Json>) -> Reply {
        reply(self.merging(record, body)).await
    }

    pub(crate) fn merging(&self, record: &str, body: impl Into<Json>) -> reqwest::RequestBuilder {
        self.ask("POST", record).header("x-http-method", "MERGE").body(body.into().to_string())
    }

    pub(crate) async fn delete(&self, record: &str) -> Reply {
        reply(self.ask("DELETE", record)).await
    }

    /// Sends the bytes of a request over a new connection, and returns everything that arrives until the connection
    /// ends.
    pub(crate) fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A reset ends the connection as well.
        _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        self.simulator.root().trim_start_matches("http://").split('/').next().unwrap().to_owned()
    }

    /// The value of an attribute as the server itself stores it.
    pub(crate) fn held(&self, entity: &str, id: Uuid, attribute: &str) -> Value {
        self.simulator.record(entity, id).unwrap().get(attribute).unwrap().clone()
    }
}

/// A client that follows no redirects and repeats no requests.
pub(crate) fn client() -> reqwest::Client {
    // Another test of this process may have installed it already.
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .unwrap()
}

/// Sends a request and reads the complete answer.
pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    tried(request).await.unwrap()
}

/// Sends a request that may not be answered.
pub(crate) async fn tried(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, body: response.text().await? })
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The contents of `d` in an answer with this status.
    #[track_caller]
    pub(crate) fn d(&self, status: u16) -> Json {
        assert_eq!(self.status, status, "{self:?}");
        self.json()["d"].clone()
    }

    /// The rows of a list.
    #[track_caller]
    pub(crate) fn results(&self) -> Vec<Json> {
        self.d(200)["results"].as_array().unwrap().clone()
    }

    /// Requires an answer without a body.
    #[track_caller]
    pub(crate) fn done(&self) {
        assert_eq!((self.status, self.body.as_str()), (204, ""), "{self:?}");
    }

    /// Requires a refusal in CDMS's format.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, text: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let error = &self.json()["error"];
        assert_eq!(error["code"], code, "{self:?}");
        assert_eq!(error["message"]["lang"], "en-US", "{self:?}");
        assert!(error["message"]["value"].as_str().unwrap().contains(text), "{self:?} does not say: {text}");
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The address of a record.
pub(crate) fn key(set: &str, id: Uuid) -> String {
    format!("{set}(guid'{id}')")
}

/// The address of an account.
pub(crate) fn account(id: Uuid) -> String {
    key("AccountSet", id)
}

pub(crate) fn lookup(logical_name: &str, id: Uuid) -> Value {
    Value::Lookup(Reference { logical_name: logical_name.to_owned().into(), id })
}

/// The attributes of an account with this id and name.
pub(crate) fn named(id: Uuid, name: &str) -> [(&'static str, Value); 2] {
    [("AccountId", Value::Guid(id)), ("Name", Value::text(name))]
}

/// A query as it is sent: everything but letters and digits is encoded, except the names of options and their separators.
pub(crate) fn query(options: &[(&str, &str)]) -> String {
    let encoded = |value: &str| -> String {
        let bytes = value.bytes().map(|byte| {
            if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        });
        bytes.collect()
    };
    options.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}
