//! Fetches documents of a running CDMS that asks for no login: without redirects, of bounded size and time.

use std::error::Error;
use std::time::Duration;

use cdms_odata::crm2011::ServiceRoot;
use cdms_odata::metadata::Metadata;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect, retry};

/// The largest document, in bytes after decompression: several times that of an organisation with a thousand entities.
const LARGEST: usize = 128 << 20;

/// How long a connection may take, and how long the whole document.
const TO_CONNECT: Duration = Duration::from_secs(15);
const TO_RECEIVE: Duration = Duration::from_secs(180);

/// The text of `$metadata`, and what it says; the address is that of the organisation or of its data service.
///
/// # Errors
///
/// What happened, and what to do about it.
pub(crate) fn metadata(address: &str) -> Result<(String, Metadata), String> {
    let root = root(address)?;
    let way_out = "save the page as the snapshot, and run `datahub check` without `--live`";
    let (url, bytes) = run(async { metadata_bytes(&root, way_out).await })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("cannot read {url}: the document is not UTF-8"))?;
    let metadata = Metadata::parse(&text).map_err(|error| format!("{url} is not valid $metadata: {error}"))?;
    Ok((text, metadata))
}

/// The service of an organisation, from its address or from that of the service.
pub(crate) fn root(address: &str) -> Result<ServiceRoot, String> {
    ServiceRoot::parse(address).map_err(|error| format!("cannot use the address {address}: {error}"))
}

/// The address and the bytes of `$metadata`. The way out is what a person can do if CDMS asks for a login.
pub(crate) async fn metadata_bytes(root: &ServiceRoot, way_out: &str) -> Result<(String, Vec<u8>), String> {
    let url = format!("{}/$metadata", root.url());
    let bytes =
        document(client(root)?.get(&url), way_out).await.map_err(|reason| format!("cannot read {url}: {reason}"))?;
    Ok((url, bytes))
}

/// Runs requests to their end.
pub(crate) fn run<T>(requests: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start: {error}"))?.block_on(requests)
}

/// A client for the services of an organisation.
pub(crate) fn client(root: &ServiceRoot) -> Result<Client, String> {
    // The process has no other provider, and one that has is as good.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(TO_CONNECT)
        .timeout(TO_RECEIVE)
        .user_agent(concat!("datahub/", env!("CARGO_PKG_VERSION")));
    if root.url().scheme() == "http" {
        // Plain http stays on this machine, so no proxy has a part in it.
        client = client.no_proxy();
    }
    client.build().map_err(|error| whole(&error))
}

/// The document that CDMS answers a request with.
pub(crate) async fn document(request: RequestBuilder, way_out: &str) -> Result<Vec<u8>, String> {
    let response = request.send().await.map_err(|error| whole(&error))?;
    accepted(&response, way_out)?;
    body(response).await
}

/// Checks that a response has a document.
fn accepted(response: &Response, way_out: &str) -> Result<(), String> {
    let login = format!("asks for a login, which `datahub` cannot do yet; open the address in a browser, {way_out}");
    let status = response.status();
    let media = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match status {
        StatusCode::OK if media.starts_with("text/html") => {
            Err(format!("CDMS sent a web page; most likely it {login}"))
        }
        StatusCode::OK => Ok(()),
        // The SOAP service's errors are documents that say more.
        StatusCode::INTERNAL_SERVER_ERROR if media.starts_with("text/xml") => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(format!("CDMS {login} (status {status})"))
        }
        status if status.is_redirection() => Err(format!("CDMS redirects; most likely it {login} (status {status})")),
        StatusCode::NOT_FOUND => {
            Err("CDMS has no service at this address (status 404); write the address of the organisation, such as \
                 https://crm.example.gov.uk/ORG"
                .to_owned())
        }
        status => Err(format!("CDMS answered with status {status}")),
    }
}

/// The body, as long as it is not too large.
async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| whole(&error))? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(format!("the document is larger than {} MiB", LARGEST >> 20));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An error with its causes, without the address, which the caller names.
fn whole(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "CDMS did not answer in time".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else {
        "the connection failed".to_owned()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
