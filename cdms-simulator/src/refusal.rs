//! The errors of the service, each declared once with its status, code and message (docs/protocol.md, 5).

use serde_json::json;
use uuid::Uuid;

/// An answer that refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The platform's error code; 0 for errors of the protocol, which have none.
    pub(crate) code: i32,
    pub(crate) message: String,
}

pub(crate) const RECORD_MISSING: i32 = -2_147_220_969;
pub(crate) const DEADLOCK: i32 = -2_147_204_784;
pub(crate) const PLUGIN: i32 = -2_147_220_891;
const UNEXPECTED: i32 = -2_147_220_970;
const OUT_OF_RANGE: i32 = -2_147_204_326;
const INVALID_ARGUMENT: i32 = -2_147_220_989;

impl Refusal {
    pub(crate) fn new(status: u16, code: i32, message: impl Into<String>) -> Self {
        Refusal { status, code, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Refusal::new(400, 0, message)
    }

    pub(crate) fn record_missing(logical_name: &str, id: Uuid) -> Self {
        Refusal::new(404, RECORD_MISSING, format!("{logical_name} With Id = {id} Does Not Exist"))
    }

    pub(crate) fn unknown_set(set: &str) -> Self {
        Refusal::new(404, 0, format!("Resource not found for the segment '{set}'."))
    }

    pub(crate) fn malformed_key() -> Self {
        Refusal::bad_request("Bad Request - Error in query syntax.")
    }

    pub(crate) fn not_acceptable() -> Self {
        Refusal::new(406, 0, "Only JSON is simulated: send Accept: application/json.")
    }

    pub(crate) fn unsupported_content(content_type: &str) -> Self {
        let message =
            format!("Unsupported media type '{content_type}' requested: send Content-Type: application/json.");
        Refusal::new(415, 0, message)
    }

    pub(crate) fn too_long_an_address(length: usize, limit: usize) -> Self {
        Refusal::new(404, 0, format!("The request URI has {length} characters; the service takes {limit} at most."))
    }

    pub(crate) fn unknown_in_body(name: &str, type_name: &str) -> Self {
        Refusal::bad_request(format!(
            "Error processing request stream. The property name '{name}' specified for type '{type_name}' is not valid."
        ))
    }

    pub(crate) fn unknown_in_query(name: &str, type_name: &str, at: usize) -> Self {
        Refusal::bad_request(format!("No property '{name}' exists in type '{type_name}' at position {at}."))
    }

    pub(crate) fn syntax(at: usize) -> Self {
        Refusal::bad_request(format!("Syntax error at position {at}."))
    }

    pub(crate) fn arithmetic(at: usize) -> Self {
        Refusal::bad_request(format!("Arithmetic is not supported at position {at}."))
    }

    pub(crate) fn unknown_function(name: &str, at: usize) -> Self {
        Refusal::bad_request(format!("The function '{name}' is not supported at position {at}."))
    }

    pub(crate) fn no_such_function(name: &str, at: usize) -> Self {
        let message =
            format!("No applicable function exists for '{name}' at position {at} with the specified arguments.");
        Refusal::bad_request(message)
    }

    pub(crate) fn incompatible(operator: &str, left: &str, right: &str, at: usize) -> Self {
        Refusal::bad_request(format!(
            "Operator '{operator}' incompatible with operand types '{left}' and '{right}' at position {at}."
        ))
    }

    pub(crate) fn mixed_conditions(at: usize) -> Self {
        Refusal::bad_request(format!(
            "The conditions of a filter must all be about the root entity, or all about one expanded entity; at position {at}."
        ))
    }

    pub(crate) fn not_expanded(navigation: &str, at: usize) -> Self {
        Refusal::bad_request(format!("The property '{navigation}' at position {at} must be expanded with $expand."))
    }

    pub(crate) fn one_level(at: usize) -> Self {
        Refusal::bad_request(format!("Only one level of navigation is supported; at position {at}."))
    }

    pub(crate) fn too_many_expansions(limit: usize) -> Self {
        Refusal::bad_request(format!("More than {limit} relations cannot be expanded."))
    }

    pub(crate) fn order_of_the_root_alone(at: usize) -> Self {
        Refusal::bad_request(format!("Only properties of the root entity can be ordered by; at position {at}."))
    }

    pub(crate) fn too_deep_a_page(limit: usize) -> Self {
        let message =
            format!("The paging of a distinct query is limited: $skip and $top must not exceed {limit} together.");
        Refusal::new(500, UNEXPECTED, message)
    }

    pub(crate) fn beyond_the_end() -> Self {
        Refusal::new(500, UNEXPECTED, "The paging cookie does not lead to a page.")
    }

    /// What may or may not work: a client must not rely on it.
    pub(crate) fn not_known_to_work(what: &str, at: usize) -> Self {
        Refusal::bad_request(format!("It is not known that CRM 2011 supports {what}; at position {at}."))
    }

    pub(crate) fn conversion(name: &str, edm: &str) -> Self {
        Refusal::bad_request(format!(
            "Error processing request stream. Error encountered in converting the value from request payload for \
             property '{name}' to type '{edm}'."
        ))
    }

    pub(crate) fn duplicate_key() -> Self {
        Refusal::new(500, -2_147_220_937, "Cannot insert duplicate key.")
    }

    pub(crate) fn too_long(attribute: &str, entity: &str, limit: usize) -> Self {
        let (attribute, entity) = (attribute.to_lowercase(), entity.to_lowercase());
        Refusal::new(
            500,
            -2_147_204_303,
            format!(
                "A validation error occurred. The length of the '{attribute}' attribute of the '{entity}' entity \
                 exceeded the maximum allowed length of '{limit}'."
            ),
        )
    }

    pub(crate) fn option_out_of_range(attribute: &str, value: i32) -> Self {
        let attribute = attribute.to_lowercase();
        Refusal::new(
            500,
            OUT_OF_RANGE,
            format!("A validation error occurred. The value {value} of '{attribute}' is outside the valid range."),
        )
    }

    pub(crate) fn number_out_of_range(entity: &str, attribute: &str) -> Self {
        let (attribute, entity) = (attribute.to_lowercase(), entity.to_lowercase());
        let message = format!(
            "A validation error occurred. The value of '{attribute}' of the '{entity}' entity is outside the valid \
             range."
        );
        Refusal::new(500, OUT_OF_RANGE, message)
    }

    pub(crate) fn invalid(entity: &str, attribute: &str, reason: &str) -> Self {
        let (attribute, entity) = (attribute.to_lowercase(), entity.to_lowercase());
        let message = format!("Invalid Argument: the value of '{attribute}' of the '{entity}' entity {reason}.");
        Refusal::new(500, INVALID_ARGUMENT, message)
    }

    pub(crate) fn status_mismatch(entity: &str, status: i32, state: i32) -> Self {
        let entity = entity.to_lowercase();
        let message = format!("{status} is not a valid status code for state code {state} on {entity}.");
        Refusal::new(500, -2_147_187_704, message)
    }

    pub(crate) fn orphaned_address() -> Self {
        Refusal::new(500, INVALID_ARGUMENT, "A CustomerAddress must be parented.")
    }

    pub(crate) fn closed(entity: &str) -> Self {
        let entity = entity.to_lowercase();
        let message = format!("Invalid Argument: the {entity} is completed or canceled and cannot be changed.");
        Refusal::new(500, INVALID_ARGUMENT, message)
    }

    pub(crate) fn no_privilege(user: Uuid, right: &str, entity: &str) -> Self {
        let message = format!("Principal user (Id={user}, type=8) is missing prv{right}{entity} privilege");
        Refusal::new(403, -2_147_220_960, message)
    }

    pub(crate) fn no_resource() -> Self {
        Refusal::bad_request(
            "Error processing request stream. The request should be a valid top-level resource object.",
        )
    }

    pub(crate) fn deadlock() -> Self {
        Refusal::new(500, DEADLOCK, "Generic SQL error.")
    }

    pub(crate) fn not_simulated(what: &str) -> Self {
        Refusal::bad_request(format!("{what} is not simulated yet."))
    }

    pub(crate) fn unsupported_option(option: &str) -> Self {
        Refusal::bad_request(format!("The query parameter '{option}' is not supported."))
    }

    /// The body in the format of CDMS.
    pub(crate) fn body(&self) -> String {
        let code = if self.code == 0 { String::new() } else { self.code.to_string() };
        json!({"error": {"code": code, "message": {"lang": "en-US", "value": self.message}}}).to_string()
    }
}
