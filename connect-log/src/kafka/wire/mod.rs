//! Kafka's protocol, spoken by ourselves: connections, which broker leads what, coordinators. For what is on the hot path, and for what
//! librdkafka does not do right. Source: <https://kafka.apache.org/protocol>.

mod cluster;
mod codes;
mod connection;
mod dial;
mod groups;
mod login;
mod peer;
mod scram;
mod secure;
mod stream;
mod tokens;

pub(super) use self::{
    cluster::Cluster,
    codes::{Verdict, verdict},
    connection::{Connection, broken, decode, unavailable},
    dial::Dial,
    groups::committed,
    peer::{Asked, Kind, Peer, Retry},
    stream::{Reader, Writer},
};
