//! `/_control/…`: clock, faults, late commits, log, requests, dropped entries, scene and sessions as JSON, so that
//! programs in any language can control the server.

use std::collections::HashSet;

use cdms_odata::Attributes;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::fault::FaultRule;
use crate::http::Answer;
use crate::state::{State, lock};

/// Answers a control request.
pub(crate) fn answer(state: &State, method: &str, target: &str, body: &[u8]) -> Answer {
    let resource = target.trim_start_matches("/_control/").split('?').next().unwrap_or_default();
    match (method, resource) {
        ("GET", "clock") => json_answer(&json!({"now_ms": state.world().clock.now_ms()})),
        ("POST", "clock") => with(body, |order: ClockOrder| {
            let clock = state.world().clock.clone();
            if let Some(ms) = order.set_ms {
                clock.set_ms(ms);
            }
            clock.advance_ms(order.advance_ms);
            Ok(json!({"now_ms": clock.now_ms()}))
        }),
        ("GET", "faults") => json_answer(&json!({"hit": lock(&state.faults).hits()})),
        ("POST", "faults") => with(body, |rule: FaultRule| {
            lock(&state.faults).order(rule);
            Ok(json!({"ordered": true}))
        }),
        ("DELETE", "faults") => {
            lock(&state.faults).clear();
            json_answer(&json!({"cleared": true}))
        }
        ("POST", "late") => json_answer(&json!({"committed": state.commit_late()})),
        ("GET", "log") => json_answer(&json!(state.world().commits().iter().collect::<Vec<_>>())),
        ("GET", "dropped") => {
            let (log, requests) = (state.world().commits().dropped(), lock(&state.requests).dropped());
            json_answer(&json!({"log": log, "requests": requests}))
        }
        ("GET", "requests") => json_answer(&json!(lock(&state.requests).iter().collect::<Vec<_>>())),
        ("POST", "seed") => {
            let scene = serde_json::from_slice(body).map_err(|error| format!("{error}; {SCENE_FORM}"));
            answered(scene.and_then(|scene| seed(state, scene)))
        }
        ("DELETE", "sessions") => {
            state.login.expire();
            json_answer(&json!({"ended": true}))
        }
        _ => Answer::json(404, json!({"error": format!("unknown control: {method} {resource}")}).to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    #[serde(default)]
    set_ms: Option<i64>,
    #[serde(default)]
    advance_ms: i64,
}

/// One record of a scene: its entity and its attributes in canonical form. Text, whole numbers and booleans are plain,
/// other values are tagged: `{"choice": 1}`, `{"lookup": ["account", "…"]}`, `{"guid": "…"}`, `{"instant": ms}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedOrder {
    entity: String,
    attributes: Attributes,
}

/// The form of a scene, for messages.
pub(crate) const SCENE_FORM: &str = "write a scene as a list like [{\"entity\": \"Account\", \"attributes\": {\"Name\": \
     \"Acme\", \"IndustryCode\": {\"choice\": 7}}}]; text, whole numbers, true, false and null are plain JSON, other \
     values are tagged with bigint, choice, decimal, double, guid, instant, lookup or money";

pub(crate) fn seed(state: &State, scene: Vec<SeedOrder>) -> Result<Json, String> {
    let (mut world, mut seeded) = (state.world(), HashSet::new());
    let ids = scene.into_iter().enumerate().map(|(at, SeedOrder { entity, attributes })| {
        let place = format!("record {} ({entity})", at + 1);
        let id = world.seed(&entity, attributes).map_err(|refusal| format!("{place}: {}", refusal.message))?;
        if !seeded.insert((entity, id)) {
            return Err(format!("{place}: an earlier record of the scene also has the id {id}"));
        }
        Ok(id.to_string())
    });
    Ok(json!({"ids": ids.collect::<Result<Vec<_>, _>>()?}))
}

fn with<'b, T: Deserialize<'b>>(body: &'b [u8], order: impl FnOnce(T) -> Result<Json, String>) -> Answer {
    answered(serde_json::from_slice(body).map_err(|error| error.to_string()).and_then(order))
}

fn answered(result: Result<Json, String>) -> Answer {
    match result {
        Ok(json) => json_answer(&json),
        Err(reason) => Answer::json(400, json!({ "error": reason }).to_string()),
    }
}

fn json_answer(json: &Json) -> Answer {
    Answer::json(200, json.to_string())
}
