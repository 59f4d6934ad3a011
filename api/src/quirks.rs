//! What Jetty and Jersey do around Kafka Connect's resources, and clients rely on.

use axum::{
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
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut refused = ApiError::framework(StatusCode::METHOD_NOT_ALLOWED).into_response();
    if let Some(allow) = allow {
        refused.headers_mut().insert(header::ALLOW, allow);
    }
    refused
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
    let Some(accept) = request.headers().get(header::ACCEPT) else {
        return true;
    };
    let Ok(accept) = accept.to_str() else {
        return false;
    };
    accept.split(',').any(|item| {
        let ty = item.split(';').next().unwrap_or("").trim();
        ty.is_empty() || ["*/*", "application/*", "application/json"].contains(&ty)
    })
}
