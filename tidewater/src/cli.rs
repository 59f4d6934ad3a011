//! The command line.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Parser, Subcommand};
use connect_log::front::Advertised;

/// Change data capture and Kafka Connect's REST API in one program.
///
/// Captures every committed change of a database into ordered topics and keeps Redis, Elasticsearch, OpenSearch and other
/// systems in step with them. Connectors are created over Kafka Connect's REST API. With `bootstrap.servers` the topics are
/// Kafka's; without, they are in an embedded durable log in the data directory.
#[derive(Debug, Parser)]
#[command(name = "tidewater", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Which log lines to write: `info`, `debug`, or per module as in `info,postgres_source=debug`.
    #[arg(
        long,
        global = true,
        env = "TIDEWATER_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    /// Write log lines as JSON objects.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a worker until SIGTERM or Ctrl-C.
    ///
    /// The file has Kafka Connect's worker properties; every property has a default, so that an empty file, or none, is enough.
    #[command(
        after_help = "EXAMPLES:\n  tidewater worker\n  tidewater worker --data-dir /var/lib/tidewater --kafka-listen 127.0.0.1:9092\n  tidewater worker connect-distributed.properties"
    )]
    Worker(Worker),
    /// Check a connector's configuration, then its connections, before it runs.
    ///
    /// Prints every finding and ends with 1 when one of them is an error. The file has what would be posted to `/connectors`
    /// (`{"name": …, "config": {…}}`), or the configuration alone.
    #[command(
        after_help = "EXAMPLES:\n  tidewater check inventory-source.json\n  tidewater check --offline - < inventory-source.json"
    )]
    Check(Check),
    /// Print a topic of an embedded log whose worker is stopped: key, tab, value, a line each.
    ///
    /// While the worker runs, read its topics with any Kafka client: see `--kafka-listen` of `tidewater worker`.
    #[command(
        after_help = "EXAMPLES:\n  tidewater read connect-configs\n  tidewater read inventory.public.customers --data-dir /var/lib/tidewater"
    )]
    Read(Read),
    /// Ask a running worker how it is; ends with 1 when it is not healthy.
    #[command(after_help = "EXAMPLES:\n  tidewater health\n  tidewater health connect-1:8083")]
    Health(Health),
    /// Print the reference of all connectors' properties, or of one, as Markdown; also of a transform that a connector brings.
    #[command(after_help = "EXAMPLES:\n  tidewater docs\n  tidewater docs RedisSink")]
    Docs {
        /// The connector's class or its short name; all when left out.
        class: Option<String>,
    },
    /// Read a password from standard input and print it as `rest.users.file` has it.
    #[command(
        after_help = "EXAMPLES:\n  tidewater password < password.txt\n  openssl rand -hex 32 | tee token.txt | tidewater password --token"
    )]
    Password {
        /// It is a token: long and random, so that a plain hash is enough.
        #[arg(long)]
        token: bool,
    },
    /// Print shell completions.
    #[command(
        after_help = "EXAMPLES:\n  source <(tidewater completions bash)\n  tidewater completions zsh > \"${fpath[1]}/_tidewater\"\n  tidewater completions fish > ~/.config/fish/completions/tidewater.fish"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command (`tidewater man worker | man -l -`).
    Man {
        /// The command; the page of all when left out.
        command: Option<String>,
    },
}

/// `tidewater worker`.
#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    /// A file of Kafka Connect's worker properties.
    pub(crate) properties: Option<PathBuf>,
    /// Where the embedded log lives. Only without `bootstrap.servers`.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDEWATER_DATA_DIR",
        default_value = "data"
    )]
    pub(crate) data_dir: PathBuf,
    /// Serve the embedded log's topics, read-only, to Kafka clients (kcat, Spark, Flink) on this address, as in `127.0.0.1:9092`.
    ///
    /// A port alone means 127.0.0.1. There is no authentication: who can connect can read every topic, the configurations of connectors
    /// among them. Only without `bootstrap.servers`.
    #[arg(long, value_name = "ADDR", value_parser = kafka_address)]
    pub(crate) kafka_listen: Option<SocketAddr>,
    /// The address under which Kafka clients reach `--kafka-listen`, where it is not the one they connect to (behind a port mapping).
    #[arg(long, value_name = "HOST:PORT", value_parser = advertised, requires = "kafka_listen")]
    pub(crate) kafka_advertise: Option<Advertised>,
    /// Set one worker property over those of the file, as in `--set listeners=http://127.0.0.1:8083`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
}

/// An address with a port, or a port of the loopback address.
fn kafka_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse()
        .map_err(|_| "write it as 127.0.0.1:9092, [::1]:9092 or 9092".to_owned())
}

fn advertised(text: &str) -> Result<Advertised, String> {
    let parts = text.rsplit_once(':');
    let parts = parts.map(|(host, port)| (host.trim_matches(['[', ']']), port.parse()));
    match parts {
        Some((host, Ok(port))) if !host.is_empty() => Ok(Advertised {
            host: host.to_owned(),
            port,
        }),
        _ => Err("write it as HOST:PORT".to_owned()),
    }
}

/// `tidewater check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The connector's configuration as JSON, or `-` for standard input.
    pub(crate) file: PathBuf,
    /// Validate the properties only; connect to nothing.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// `tidewater read`.
#[derive(Debug, clap::Args)]
pub(crate) struct Read {
    /// The topic.
    pub(crate) topic: String,
    /// Where the embedded log lives.
    #[arg(
        long,
        value_name = "DIR",
        env = "TIDEWATER_DATA_DIR",
        default_value = "data"
    )]
    pub(crate) data_dir: PathBuf,
}

/// `tidewater health`.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    /// Where its REST API listens, without TLS.
    #[arg(value_name = "HOST:PORT", default_value = "127.0.0.1:8083")]
    pub(crate) address: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_for_kafka_clients() {
        let at = |text| kafka_address(text).map(|address| address.to_string());
        assert_eq!(at("9092").as_deref(), Ok("127.0.0.1:9092"));
        assert_eq!(at(":9092").as_deref(), Ok("127.0.0.1:9092"));
        assert_eq!(at("0.0.0.0:1").as_deref(), Ok("0.0.0.0:1"));
        assert_eq!(at("[::1]:9092").as_deref(), Ok("[::1]:9092"));
        assert!(at("localhost").is_err() && at("99999").is_err() && at("").is_err());
        let told = advertised("kafka.example:9093").expect("an address");
        assert_eq!((told.host.as_str(), told.port), ("kafka.example", 9093));
        assert_eq!(advertised("[::1]:9").expect("an address").host, "::1");
        assert!(advertised("host").is_err() && advertised(":1").is_err());
    }
}
