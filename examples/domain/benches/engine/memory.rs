//! The largest memory of a pull, in a process of its own: this program again, under another name.

use std::process::Command;
use std::time::Duration;

use datahub_runtime::Anonymous;
use datahub_runtime::prelude::*;
use example_domain::Organisation;

use crate::bare::store::Store;
use crate::bare::{Bare, Keeps};
use crate::cdms::Cdms;
use crate::places::Place;

/// Who pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Puller {
    Hub,
    Floor,
}

/// Runs a process that pulls this number of pages to a place; returns the largest memory that it had, in MB.
pub(crate) async fn of_process(puller: Puller, cdms: &Cdms, place: &Place, first: &str, pages: u64) -> f64 {
    let who = if puller == Puller::Hub { "hub" } else { "floor" };
    let database = if puller == Puller::Hub { place.hub() } else { place.floor() };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["memory", who, &database, &cdms.root, first, &pages.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kilobytes: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    kilobytes / 1_000.0
}

/// The process's role: pulls, and prints the largest memory that it had, in KB.
pub(crate) async fn measure(arguments: Vec<String>) {
    let [who, database, root, first, pages] = &arguments[..] else { panic!("unexpected {arguments:?}") };
    let pages = pages.parse().unwrap();
    if who == "hub" {
        let hub =
            Hub::builder().database(database).cdms(root, Anonymous).models(example_domain::models()).create_tables();
        let hub = hub.connect().await.unwrap();
        hub.pull::<Organisation>().max_pages(pages).await.unwrap();
        hub.shutdown(Duration::from_secs(60)).await;
    } else {
        let origin = &first[..first.len() - path_of(first).len()];
        let bare = Bare::new(origin, path_of(first), Store::create_at(database).await);
        bare.pull(first, Keeps::Everything, usize::try_from(pages).unwrap()).await;
    }
    println!("{}", peak());
}

/// The part of an address from the path on.
fn path_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    url[host..].find('/').map_or("", |path| &url[host + path..])
}

/// The largest memory that this process has had, in KB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
