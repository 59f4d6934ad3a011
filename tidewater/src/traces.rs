//! Traces on request: spans go to a collector, by OTLP over HTTP, through the program's own HTTP client.

use std::{
    collections::HashMap,
    env, fmt,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use connect_core::{
    Error, Properties, Result, Secret, codes,
    config::{Config as _, Rules, invalid},
};
use connect_runtime::{AnyTracer, Traces};
use connect_tls::{Tls, Trust};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::runtime::Handle;

codes! {
    /// Spans cannot be sent as the properties say.
    TRACES = "traces.invalid", Fail, "Correct the property or variable of the environment that the message names.";
}

connect_core::config! {
    /// The properties of traces, by the names that OpenTelemetry has for them. Without an endpoint there are no traces.
    pub(crate) struct TracesConfig;
    group "Traces" {
        /// Where the collector takes OTLP over HTTP, as in `http://127.0.0.1:4318`.
        endpoint: Option<String> = none, "otel.exporter.otlp.endpoint", Low;
        /// Headers of requests to it: `NAME=VALUE`, separated by commas.
        headers: Option<Secret> = none, "otel.exporter.otlp.headers", Low;
        /// The name of this service.
        service: Option<String> = none, "otel.service.name", Low;
        /// The share of batches and requests that are traced, from 0 to 1.
        share: Option<String> = none, "otel.traces.sampler.arg", Low;
        /// Whether records carry their trace in the header `traceparent`.
        record_headers: bool = "false", "tracing.headers", Low;
    }
}

impl Rules for TracesConfig {}

/// How long the collector may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the last spans may take to be sent.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// The longest answer.
const ANSWER: usize = 1 << 20;

/// What sends spans; nothing, if there is no endpoint.
pub(crate) struct Tracing(Option<SdkTracerProvider>);

impl Tracing {
    /// Reads the properties, and the variables of the environment that OpenTelemetry has. Must be called within a runtime.
    pub(crate) fn start(given: &Properties, instance: &str) -> Result<(Traces, Self)> {
        let config = TracesConfig::parse(given).map_err(|findings| invalid(&findings))?;
        let off = variable("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
        if off || !config.is_wanted() {
            return Ok((Traces::default(), Self(None)));
        }
        let exporter = Told {
            exporter: config.exporter()?,
            is_away: AtomicBool::new(false),
        };
        let mut builder = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(config.resource(instance));
        if let Some(share) = config.share()? {
            let ratio = Box::new(Sampler::TraceIdRatioBased(share));
            builder = builder.with_sampler(Sampler::ParentBased(ratio));
        }
        let provider = builder.build();
        let tracer = AnyTracer::new(Box::new(provider.tracer("tidewater")));
        Ok((
            Traces::new(tracer, config.record_headers),
            Self(Some(provider)),
        ))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST_SPANS)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.trim().is_empty())
}

impl TracesConfig {
    fn is_wanted(&self) -> bool {
        let variables = [
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ];
        self.endpoint.is_some() || variables.into_iter().any(|name| variable(name).is_some())
    }

    fn exporter(&self) -> Result<opentelemetry_otlp::SpanExporter> {
        let mut builder = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_protocol(Protocol::HttpBinary);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(traces_of(endpoint)?);
        }
        if let Some(headers) = &self.headers {
            builder = builder.with_headers(pairs(headers.reveal())?);
        }
        builder
            .build()
            .map_err(|error| Error::new(&TRACES, format!("spans cannot be sent: {error}")))
    }

    fn resource(&self, instance: &str) -> Resource {
        let named = variable("OTEL_SERVICE_NAME").or_else(|| variable("OTEL_RESOURCE_ATTRIBUTES"));
        let named = named.filter(|text| !text.contains('=') || text.contains("service.name="));
        let builder = Resource::builder()
            .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()));
        match (&self.service, named) {
            (Some(name), _) => builder.with_service_name(name.clone()).build(),
            (None, Some(_)) => builder.build(),
            (None, None) => builder.with_service_name("tidewater").build(),
        }
    }

    /// The share that is traced, unless OpenTelemetry's own variables say how it is chosen.
    fn share(&self) -> Result<Option<f64>> {
        let (name, text) = match &self.share {
            Some(share) => ("otel.traces.sampler.arg", share.clone()),
            None => match (
                variable("OTEL_TRACES_SAMPLER"),
                variable("OTEL_TRACES_SAMPLER_ARG"),
            ) {
                (None, Some(share)) => ("OTEL_TRACES_SAMPLER_ARG", share),
                _ => return Ok(None),
            },
        };
        let share = text.trim().parse().ok();
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.map(Some).ok_or_else(|| {
            Error::new(
                &TRACES,
                format!("{name}: {text:?} is no number from 0 to 1"),
            )
        })
    }
}

/// The path of traces below an endpoint.
fn traces_of(endpoint: &str) -> Result<String> {
    let url = reqwest::Url::parse(endpoint.trim()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let what = "otel.exporter.otlp.endpoint: write it as http://HOST:PORT or https://HOST:PORT";
        return Err(Error::new(&TRACES, what));
    };
    let url = url.as_str().trim_end_matches('/');
    Ok(match url.ends_with("/v1/traces") {
        true => url.to_owned(),
        false => format!("{url}/v1/traces"),
    })
}

fn pairs(text: &str) -> Result<HashMap<String, String>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    // Invariant 7: what is wrong is not shown, since it may be a secret.
    text.split(',')
        .filter(|item| !item.trim().is_empty())
        .map(|item| {
            pair(item).ok_or_else(|| {
                let what = "otel.exporter.otlp.headers: write them as NAME=VALUE,NAME=VALUE";
                Error::new(&TRACES, what)
            })
        })
        .collect()
}

/// An exporter whose collector may be away: that is told once, and that it is there again.
#[derive(Debug)]
struct Told {
    exporter: opentelemetry_otlp::SpanExporter,
    is_away: AtomicBool,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let was_away = self.is_away.swap(sent.is_err(), Relaxed);
        match &sent {
            Err(error) if !was_away => {
                tracing::warn!(%error, "spans cannot be sent now, and are dropped");
            }
            Ok(()) if was_away => tracing::info!("spans can be sent again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, limit: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(limit)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The program's HTTP client, for a thread that has no runtime.
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    fn new() -> Result<Self> {
        let tls = Tls {
            code: &TRACES,
            trust: Trust::Host,
            roots: None,
            certificate: None,
            key: None,
        };
        let http = reqwest::Client::builder()
            .timeout(LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls.client()?)
            .build();
        let http = http.map_err(|error| {
            Error::new(&TRACES, "the HTTP client cannot be set up").caused_by(error)
        })?;
        let runtime = Handle::current();
        Ok(Self { http, runtime })
    }
}

/// What [`HttpClient`] wants.
type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Sent<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let sending = self.runtime.spawn(send(self.http.clone(), request));
        Box::pin(async move { sending.await? })
    }
}

async fn send(
    http: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let mut answer = http.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        // Invariant 4: a collector's answer is small.
        if body.len() + chunk.len() > ANSWER {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(of: &[(&str, &str)]) -> TracesConfig {
        let given = of.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        TracesConfig::parse(&given.collect()).unwrap()
    }

    #[test]
    fn endpoints_have_the_path_of_traces() {
        let of = |endpoint: &str| traces_of(endpoint).map_err(|error| error.to_string());
        let full = "http://127.0.0.1:4318/v1/traces";
        assert_eq!(of("http://127.0.0.1:4318").as_deref(), Ok(full));
        assert_eq!(of("http://127.0.0.1:4318/").as_deref(), Ok(full));
        assert_eq!(of(full).as_deref(), Ok(full));
        assert_eq!(
            of("https://collector/otlp").as_deref(),
            Ok("https://collector/otlp/v1/traces")
        );
        for wrong in ["", "collector:4318", "grpc://collector"] {
            assert!(
                of(wrong)
                    .unwrap_err()
                    .contains("otel.exporter.otlp.endpoint")
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_told() {
        let share = |text| config(&[("otel.traces.sampler.arg", text)]).share();
        assert_eq!(share("0.25").unwrap(), Some(0.25));
        for wrong in ["2", "-1", "all", "NaN"] {
            let told = share(wrong).unwrap_err().to_string();
            assert!(told.contains("otel.traces.sampler.arg"), "{told}");
        }
        let headers = pairs("api-key=abc==, x=y").unwrap();
        assert_eq!(headers["api-key"], "abc==");
        assert_eq!(headers["x"], "y");
        let told = pairs("hunter2").unwrap_err().to_string();
        assert!(told.contains("otel.exporter.otlp.headers") && !told.contains("hunter2"));
    }
}
