//! Traces on request: spans go to a collector, by OTLP over HTTP, through the program's own HTTP client.

mod collector;

use std::env;

use connect_core::{
    Error, Properties, Result, Secret, codes,
    config::{Config as _, Rules, invalid},
};
use connect_runtime::{AnyTracer, Traces};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use collector::Collector;

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

/// How long the last spans may take to be sent.
const LAST_SPANS: std::time::Duration = std::time::Duration::from_secs(2);
/// What sends spans; nothing, if there is no endpoint.
pub(crate) struct Tracing(Option<SdkTracerProvider>);

impl Tracing {
    /// Reads the properties, and the variables of the environment that OpenTelemetry has. Must be called within a runtime.
    pub(crate) fn start(given: &Properties, instance: &str) -> Result<(Traces, Self)> {
        let config = TracesConfig::parse(given).map_err(|findings| invalid(&findings))?;
        let off = variable("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
        let Some(url) = config.url()?.filter(|_| !off) else {
            return Ok((Traces::default(), Self(None)));
        };
        let collector = Collector::new(url, config.headers()?)?;
        let mut builder = SdkTracerProvider::builder()
            .with_batch_exporter(collector)
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
    /// Where spans go; nowhere, if nobody says.
    fn url(&self) -> Result<Option<Url>> {
        if let Some(endpoint) = &self.endpoint {
            return traces_of("otel.exporter.otlp.endpoint", endpoint, true).map(Some);
        }
        let (own, all) = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        );
        match (variable(own), variable(all)) {
            (Some(endpoint), _) => traces_of(own, &endpoint, false).map(Some),
            (None, Some(endpoint)) => traces_of(all, &endpoint, true).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn headers(&self) -> Result<HeaderMap> {
        if let Some(headers) = &self.headers {
            return pairs("otel.exporter.otlp.headers", headers.reveal());
        }
        let names = [
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ];
        let given = names
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)));
        given.map_or_else(|| Ok(HeaderMap::new()), |(name, text)| pairs(name, &text))
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

/// The URL of an endpoint, which a property or variable names; with the path of traces below it, unless that is there.
fn traces_of(name: &str, endpoint: &str, below: bool) -> Result<Url> {
    let endpoint = endpoint.trim().trim_end_matches('/');
    let whole = match below && !endpoint.ends_with("/v1/traces") {
        true => format!("{endpoint}/v1/traces"),
        false => endpoint.to_owned(),
    };
    let url = Url::parse(&whole).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        let what = format!("{name}: write it as http://HOST:PORT or https://HOST:PORT");
        Error::new(&TRACES, what)
    })
}

/// Headers that a property or variable holds: `NAME=VALUE`, separated by commas, values with `%` and two digits for what is no plain letter.
fn pairs(of: &str, text: &str) -> Result<HeaderMap> {
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let name: HeaderName = name.trim().parse().ok()?;
        let mut value = HeaderValue::from_bytes(&decoded(value.trim())).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    // Invariant 7: what is wrong is not shown, since it may be a secret.
    let wrong = || {
        let what = format!("{of}: write them as NAME=VALUE,NAME=VALUE");
        Error::new(&TRACES, what)
    };
    let items = text.split(',').filter(|item| !item.trim().is_empty());
    items.map(|item| pair(item).ok_or_else(wrong)).collect()
}

/// A text without its `%41`; what is none of these stays.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let digits = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        (rest, out) = match (first, byte) {
            (b'%', Some(byte)) => (tail.get(2..).unwrap_or_default(), with(out, byte)),
            _ => (tail, with(out, *first)),
        };
    }
    out
}

fn with(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
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
        let of = |endpoint: &str, below| {
            let url = traces_of("the.property", endpoint, below);
            url.map(String::from).map_err(|error| error.to_string())
        };
        let full = "http://127.0.0.1:4318/v1/traces";
        assert_eq!(of("http://127.0.0.1:4318", true).as_deref(), Ok(full));
        assert_eq!(of("http://127.0.0.1:4318/", true).as_deref(), Ok(full));
        assert_eq!(of(full, true).as_deref(), Ok(full));
        let otlp = "https://collector/otlp";
        assert_eq!(of(otlp, true), Ok(format!("{otlp}/v1/traces")));
        assert_eq!(of(otlp, false).as_deref(), Ok(otlp));
        for wrong in ["", "collector:4318", "grpc://collector"] {
            assert!(of(wrong, true).unwrap_err().contains("the.property"));
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
        let name = "otel.exporter.otlp.headers";
        let headers = pairs(name, "api-key=abc==, x=Basic%20y%,").unwrap();
        assert_eq!(headers["api-key"], "abc==");
        assert_eq!(headers["x"], "Basic y%");
        assert!(!format!("{headers:?}").contains("abc"), "{headers:?}");
        let told = pairs(name, "hunter2").unwrap_err().to_string();
        assert!(told.contains("otel.exporter.otlp.headers") && !told.contains("hunter2"));
    }
}
