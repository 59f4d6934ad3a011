//! The one boxed future type, for traits that are used as objects.

use std::{future::Future, pin::Pin};

/// A future behind a pointer, so that a trait that returns it can be an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
