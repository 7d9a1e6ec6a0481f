//! An HTTPS server for webhooks, on what policy-server serves with.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use json_patch::Patch;
use serde_json::{Value, json};

use crate::certificates::Identity;
use crate::review::{self, Served};

/// What the webhooks answer with, and what they were asked.
#[derive(Default)]
pub(crate) struct Shared {
    /// By the name in the path.
    pub(crate) policies: BTreeMap<String, Served>,
    /// Path and request of each call since it was last emptied.
    pub(crate) calls: Vec<(String, Value)>,
    /// What the Telemetry module's webhook does wrong, for tests of the tests.
    pub(crate) fault: Option<Patch>,
}

#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Shared>>);

impl Answers {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &str, review: &Value) {
        let request = review.get("request").cloned().unwrap_or_default();
        self.lock().calls.push((path.to_owned(), request));
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    runtime: Option<tokio::runtime::Runtime>,
    handle: Handle<SocketAddr>,
    address: SocketAddr,
}

impl Server {
    /// Serves at an address; port 0 is a free one.
    pub(crate) fn start(address: SocketAddr, identity: &Identity, answers: Answers) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let config = runtime.block_on(RustlsConfig::from_pem_file(&identity.certificate, &identity.key))?;
        let _in_runtime = runtime.enter();
        let server = axum_server::from_tcp_rustls(listener, config)?.handle(handle.clone());
        runtime.spawn(server.serve(router(answers).into_make_service()));
        drop(_in_runtime);
        Ok(Self { runtime: Some(runtime), handle, address })
    }

    /// Where it listens.
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(runtime) = self.runtime.take() {
            // Whoever starts another at this address needs the port: it is free only once the listener is gone.
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

fn router(answers: Answers) -> Router {
    Router::new()
        .route("/validate/{policy}", post(validate))
        .route("/convert", post(convert))
        // `/mutate-telemetry-kyma-project-io-<version>-<kind>`
        .route("/{mutate}", post(fill_in))
        .layer(DefaultBodyLimit::max(READ))
        .with_state(answers)
}

/// A body that cannot be answered: status and text, as policy-server gives them.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"message": self.1, "status": self.0.as_u16()}))).into_response()
    }
}

/// A review has two objects at most, of 3 MB each at most.
const LARGEST: usize = 8 << 20;

/// Reads all of what is refused too, up to a bound: who is still writing does not listen.
const READ: usize = 64 << 20;

fn read(body: &Bytes) -> Result<Value, Refused> {
    if body.len() > LARGEST {
        return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("larger than {LARGEST} bytes")));
    }
    // The error has line and column, and no content.
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn validate(
    State(answers): State<Answers>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let review = read(&body)?;
    let served = answers.lock().policies.get(&name).cloned();
    let served = served.ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("no policy {name}")))?;
    answers.note(&format!("/validate/{name}"), &review);
    // An evaluation may take its two seconds.
    let answer = tokio::task::spawn_blocking(move || review::validate(&served, &review)).await;
    reply(answer.ok().flatten(), "an AdmissionReview with a request is expected")
}

async fn fill_in(
    State(answers): State<Answers>,
    Path(path): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let review = read(&body)?;
    answers.note(&format!("/{path}"), &review);
    let fault = answers.lock().fault.clone();
    reply(review::fill_in(&review, fault.as_ref()), "an AdmissionReview with a request is expected")
}

async fn convert(body: Bytes) -> Result<Json<Value>, Refused> {
    let review = read(&body)?;
    reply(review::converted(&review), "a ConversionReview with a request is expected")
}

fn reply(answer: Option<Value>, expected: &str) -> Result<Json<Value>, Refused> {
    answer.map(Json).ok_or_else(|| Refused(StatusCode::UNPROCESSABLE_ENTITY, expected.to_owned()))
}
