//! The program: flags, the list of connectors, start and stop.

mod check;
mod cli;
mod docs;
mod health;
mod logging;
mod plugins;
mod properties;
mod read;
mod reload;
mod startup;
mod traces;
mod worker;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long calls that block get to end with the worker.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// Why the program ends, in words for a terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    // Invariant: one TLS provider for the whole program.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider is there already");
    }
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("tidewater: {}", words(&failure));
            ExitCode::FAILURE
        }
    }
}

/// An error of ours with its code, causes and remedy.
fn words(failure: &Failure) -> String {
    let ours = failure.downcast_ref::<connect_core::Error>();
    ours.map_or_else(|| failure.to_string(), connect_core::Error::report)
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Worker(options) => {
            let logging = logging::start(&cli.log, cli.log_json)?;
            let runtime = runtime()?;
            let ended = runtime.block_on(worker::run(options, logging));
            // A call to a cluster that does not answer must not keep the program.
            runtime.shutdown_timeout(LAST_CALLS);
            ended.map(|()| ExitCode::SUCCESS)
        }
        Command::Check(options) => runtime()?.block_on(check::run(&options)),
        Command::Read(options) => {
            runtime()?.block_on(read::run(&options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Health(options) => health::run(&options),
        Command::Docs { class } => print_docs(class.as_deref()),
        Command::Password { token } => password(token),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "tidewater",
                &mut std::io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { command } => {
            man(command.as_deref())?.render(&mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Hashes the first line of standard input, without its end.
fn password(is_token: bool) -> Result<ExitCode, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let secret = line.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err("there is no password on standard input".into());
    }
    match is_token {
        true => println!("{}", api::hash_token(secret)),
        false => println!("{}", api::hash_password(secret)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("tidewater")
        .build()
}

/// The manual page of the program or of one command.
fn man(command: Option<&str>) -> Result<clap_mangen::Man, Failure> {
    let mut program = Cli::command();
    program.build();
    let page = match command {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .ok_or_else(|| format!("no command is called {name}; see tidewater --help"))?
            .clone(),
    };
    Ok(clap_mangen::Man::new(page))
}

fn print_docs(class: Option<&str>) -> Result<ExitCode, Failure> {
    let all = plugins::all();
    let chosen = all.iter().filter(|p| class.is_none_or(|c| p.answers_to(c)));
    let mut pages: Vec<String> = chosen.map(docs::markdown).collect();
    let brought = all.iter().flat_map(|p| p.transforms);
    let chosen = brought.filter(|t| class.is_none_or(|c| docs::is_called(t.class, c)));
    pages.extend(chosen.map(docs::transform));
    if pages.is_empty() {
        let known: Vec<&str> = all.iter().map(|p| p.about.class).collect();
        return Err(format!("no connector is called so; there are: {}", known.join(", ")).into());
    }
    print!("{}", pages.join("\n"));
    Ok(ExitCode::SUCCESS)
}
