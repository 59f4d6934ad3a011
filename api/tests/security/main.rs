//! Who may ask, how much, over which listener, and what is told of it; and what was logged of a connector.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used
)]

mod limits;
mod listeners;
mod logins;
mod logs;
mod secrets;
mod site;
