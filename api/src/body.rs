//! Request bodies: bounded, JSON, with errors that say what to do.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
    },
};
use serde::de::DeserializeOwned;

use tokio::time::timeout;

use crate::{error::ApiError, gate::BodyTime};

/// How long a body may take where nothing else is said.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::framework(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = whole(request, state).await?;
        if bytes.is_empty() {
            return Err(ApiError::bad_request(
                "The request has no body. Send a JSON object.",
            ));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            ApiError::bad_request(format!(
                "The request body is not the JSON expected here: {error}"
            ))
        })
    }
}

/// The body, if it is small enough and comes in time.
async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let limit = request.extensions().get::<BodyTime>();
    let limit = limit.map_or(BODY_TIME, |limit| limit.0);
    let Ok(read) = timeout(limit, Bytes::from_request(request, state)).await else {
        let what = "The request body did not come in time. Send it at once, or raise rest.body.timeout.ms.";
        return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, what));
    };
    read.map_err(|refused| match refused.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            let what =
                "The request body is too large. Send a smaller one, or raise rest.max.body.bytes.";
            ApiError::new(status, what)
        }
        status => ApiError::new(status, "The request body could not be read."),
    })
}

/// Without a content type there is no body.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        let length = headers.get(CONTENT_LENGTH);
        return length.is_none_or(|length| length == "0")
            && !headers.contains_key(TRANSFER_ENCODING);
    };
    value.to_str().is_ok_and(|text| {
        text.split(';')
            .next()
            .is_some_and(|ty| ty.trim().eq_ignore_ascii_case("application/json"))
    })
}
