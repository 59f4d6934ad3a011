//! `/connectors/{name}/logs`: ours, not Kafka Connect's.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Json,
    body::{Body, Bytes, HttpBody},
    extract::{Path, Query, State},
    http::{
        HeaderMap,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use connect_runtime::logs::{LogLevel, Told, Which};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval},
};
use utoipa::IntoParams;

use crate::{
    Api,
    error::{Answer, ApiError, ErrorMessage},
};

/// How many lines there are, if it is not said.
const LINES: usize = 100;
/// How often a quiet connection is used, so that one that is gone is noticed.
const BEAT: Duration = Duration::from_secs(15);

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// How many at most, the newest ones: 100, or up to 1000.
    lines: Option<usize>,
    /// Of this level and worse ones: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`.
    level: Option<String>,
    /// Of this task alone.
    task: Option<u32>,
    /// Go on with each new line until the connector is deleted.
    #[serde(default)]
    follow: bool,
}

/// The newest lines of log of a connector and its tasks, of all workers, by time. Each has `time`, `level`, `connector`, `task`, `worker`, `logger`,
/// `message` and `fields`; `unanswered` names workers that did not answer. With `follow=true` lines of JSON without end, or events for who accepts
/// `text/event-stream`: one per line of log, and `{"missed": N}` where N lines were gone before they could be sent.
#[utoipa::path(get, path = "/connectors/{name}/logs", tag = "logs", params(Asked),
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage),
        (status = 429, body = ErrorMessage, description = "Too many follow")))]
pub(crate) async fn get(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Response> {
    let which = Which {
        lines: asked.lines.unwrap_or(LINES),
        level: asked.level.as_deref().map(level).transpose()?,
        task: asked.task,
    };
    if !asked.follow {
        let page = api.herder.logs(&name, &which).await?;
        return Ok(Json(page).into_response());
    }
    let told = api.herder.follow_logs(&name, &which).await?;
    let form = match takes_events(&headers) {
        true => Form::Events,
        false => Form::Lines,
    };
    let head = [
        (CONTENT_TYPE, form.content_type()),
        (CACHE_CONTROL, "no-store"),
    ];
    let body = Body::new(Follow::new(told, form));
    Ok((head, body).into_response())
}

fn level(name: &str) -> Result<LogLevel, ApiError> {
    LogLevel::parse(name).ok_or_else(|| {
        let what = format!("`level` is TRACE, DEBUG, INFO, WARN or ERROR, not {name:?}");
        ApiError::bad_request(what)
    })
}

fn takes_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// How lines follow each other.
#[derive(Clone, Copy)]
enum Form {
    /// `text/event-stream`.
    Events,
    /// JSON, a line each.
    Lines,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    fn frame(self, told: &Told) -> Bytes {
        let (event, data) = match told {
            Told::Line(line) => ("", serde_json::to_value(line).unwrap_or(Value::Null)),
            Told::Missed(missed) => ("event: missed\n", json!({ "missed": missed })),
        };
        match self {
            Self::Events => format!("{event}data: {data}\n\n").into(),
            Self::Lines => format!("{data}\n").into(),
        }
    }

    /// What readers pass over.
    fn beat(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Events => b":\n\n",
            Self::Lines => b"\n",
        })
    }
}

/// A body that goes on for as long as there is something to tell.
struct Follow {
    told: mpsc::Receiver<Told>,
    form: Form,
    beats: Interval,
}

impl Follow {
    fn new(told: mpsc::Receiver<Told>, form: Form) -> Self {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { told, form, beats }
    }
}

impl HttpBody for Follow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let form = self.form;
        if let Poll::Ready(told) = self.told.poll_recv(context) {
            return Poll::Ready(told.map(|told| Ok(Frame::data(form.frame(&told)))));
        }
        // The first comes at once, and with it the head of the answer.
        self.beats
            .poll_tick(context)
            .map(|_| Some(Ok(Frame::data(form.beat()))))
    }
}
