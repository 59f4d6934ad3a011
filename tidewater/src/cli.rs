//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

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
    Read(Read),
    /// Print the reference of all connectors' properties, or of one, as Markdown.
    Docs {
        /// The connector's class or its short name; all when left out.
        class: Option<String>,
    },
    /// Print shell completions.
    Completions {
        /// The shell: bash, zsh, fish, elvish, powershell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (`tidewater man | man -l -`).
    Man,
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
    /// Serve the embedded log's topics, read-only, to Kafka clients (kcat, Spark, Flink) on this address.
    #[arg(long, value_name = "ADDR")]
    pub(crate) kafka_listen: Option<SocketAddr>,
    /// Sets one worker property over those of the file, as in `--set listeners=http://127.0.0.1:8083`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
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
