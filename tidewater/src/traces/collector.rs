//! A collector, as spans are sent to it: OTLP in Protobuf over HTTP, through the program's own HTTP client.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use connect_core::{Error, Result};
use connect_tls::{Tls, Trust};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{
        common::tonic::ResourceAttributesWithSchema,
        trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message;
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use tokio::runtime::Handle;

use super::TRACES;

/// How long the collector may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends spans. That the collector is away is told once, and that it is there again.
pub(super) struct Collector {
    http: reqwest::Client,
    url: Url,
    resource: ResourceAttributesWithSchema,
    /// Spans are sent by a thread that has no runtime.
    runtime: Handle,
    is_away: AtomicBool,
}

impl fmt::Debug for Collector {
    // Invariant 7: secrets never print. They may be in the headers and the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    /// Takes spans at this URL, with these headers. Must be called within a runtime.
    pub(super) fn new(url: Url, headers: HeaderMap) -> Result<Self> {
        let tls = Tls {
            code: &TRACES,
            trust: Trust::Host,
            roots: None,
            certificate: None,
            key: None,
        };
        let http = reqwest::Client::builder()
            .timeout(LIMIT)
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls.client()?)
            .build();
        let http = http.map_err(|error| {
            Error::new(&TRACES, "the HTTP client cannot be set up").caused_by(error)
        })?;
        Ok(Self {
            http,
            url,
            resource: ResourceAttributesWithSchema::default(),
            runtime: Handle::current(),
            is_away: AtomicBool::new(false),
        })
    }

    async fn send(&self, spans: Vec<SpanData>) -> Result<(), String> {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(ExportTraceServiceRequest { resource_spans }.encode_to_vec());
        // Its timer wants a runtime from the first call on.
        let sent = self
            .runtime
            .spawn(async move { request.send().await })
            .await;
        let answer = sent.map_err(|_| "the worker is being stopped".to_owned())?;
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the collector answers {status}")),
        }
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.send(batch).await;
        let was_away = self.is_away.swap(sent.is_err(), Relaxed);
        match &sent {
            Err(error) if !was_away => {
                tracing::warn!(error, "spans cannot be sent now, and are dropped");
            }
            Ok(()) if was_away => tracing::info!("spans can be sent again"),
            _ => {}
        }
        sent.map_err(OTelSdkError::InternalFailure)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
