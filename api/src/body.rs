//! Request bodies: bounded, JSON, with errors that say what to do.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The largest body taken, in bytes. The largest real configurations have some 100 kB.
pub(crate) const MAX_BODY_BYTES: usize = 4 << 20;

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::framework(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| {
            match refused.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("The request body is larger than {MAX_BODY_BYTES} bytes. Send a smaller one."),
                ),
                status => ApiError::new(status, "The request body could not be read."),
            }
        })?;
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

/// No content type at all is taken as JSON, as Jersey does for these resources.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    value.to_str().is_ok_and(|text| {
        text.split(';')
            .next()
            .is_some_and(|ty| ty.trim().eq_ignore_ascii_case("application/json"))
    })
}
