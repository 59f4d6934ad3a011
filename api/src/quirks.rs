//! What Jetty and Jersey do around Kafka Connect's resources, and clients rely on.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::error::ApiError;

/// Removes a trailing slash, since clients send `/connectors/` and `/connector-plugins/`.
pub(crate) fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        let target = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        if let Ok(uri) = target.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// An unknown path.
pub(crate) async fn not_found() -> ApiError {
    ApiError::framework(StatusCode::NOT_FOUND)
}

/// Answers `OPTIONS` with the allowed methods, refuses what JSON cannot satisfy, and gives 405 the usual body.
pub(crate) async fn around(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return options(request, next).await;
    }
    if !accepts_json(&request) {
        return ApiError::framework(StatusCode::NOT_ACCEPTABLE).into_response();
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return in_our_words(response).await;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut refused = ApiError::framework(StatusCode::METHOD_NOT_ALLOWED).into_response();
    if let Some(allow) = allow {
        refused.headers_mut().insert(header::ALLOW, allow);
    }
    refused
}

/// What the framework refuses by itself (a path that is not UTF-8, a query it cannot read) it refuses in plain text.
async fn in_our_words(response: Response) -> Response {
    const LONGEST: usize = 4096;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_text = content_type.is_some_and(|ty| ty.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    if !is_text || status.is_success() {
        return response;
    }
    let text = to_bytes(response.into_body(), LONGEST).await;
    let text = text.unwrap_or_default();
    ApiError::new(status, String::from_utf8_lossy(&text)).into_response()
}

/// The router says which methods a path has when it refuses one.
async fn options(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let known = response
        .headers()
        .get(header::ALLOW)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let allow = format!("{known},OPTIONS");
    (
        StatusCode::OK,
        [
            (header::ALLOW, allow),
            (header::CONTENT_TYPE, "application/json".to_owned()),
        ],
    )
        .into_response()
}

fn accepts_json(request: &Request) -> bool {
    if matches!(request.uri().path(), "/metrics") {
        return true;
    }
    let follows = request.uri().path().ends_with("/logs");
    let Some(accept) = request.headers().get(header::ACCEPT) else {
        return true;
    };
    let Ok(accept) = accept.to_str() else {
        return false;
    };
    accept.split(',').any(|item| {
        let ty = item.split(';').next().unwrap_or("").trim();
        let is_stream = ["text/event-stream", "application/x-ndjson"].contains(&ty);
        ty.is_empty()
            || ["*/*", "application/*", "application/json"].contains(&ty)
            || follows && is_stream
    })
}
