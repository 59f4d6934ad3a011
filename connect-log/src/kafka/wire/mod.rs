//! Kafka's protocol, spoken by ourselves: connections, which broker leads what, coordinators. Source: <https://kafka.apache.org/protocol>.

mod cluster;
mod codes;
mod connection;
mod dial;
mod login;
mod peer;
mod scram;
mod secure;
mod shapes;
mod stream;
mod tokens;

pub(super) use self::{
    cluster::{Cluster, address},
    codes::{Verdict, verdict},
    connection::{Connection, broken, unavailable},
    dial::Dial,
    peer::{Asked, Kind, Peer, Retry},
    shapes::read,
    stream::{Reader, Writer},
};
