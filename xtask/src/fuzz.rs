//! `cargo xtask fuzz`: looks for bytes that break a reader.

use std::{fs, process::Command};

use crate::{
    Outcome,
    workspace::{cargo, root},
};

/// What makes the compiler count which branches run: the flags of cargo-fuzz, without its sanitizers, which only
/// nightly compilers have. Safe code has little use for those.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];
/// Above this an input has made something allocate without bound.
const MEMORY_MB: u32 = 1024;
/// An input that takes longer has found something that does not end.
const INPUT_SECONDS: u32 = 20;

/// `[TARGET] [--seconds N]`: one target, or each in turn, for so many seconds (60).
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut seconds = 60;
    let mut wanted = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => seconds = rest.next().ok_or("--seconds needs a number")?.parse()?,
            name => wanted = Some(name.to_owned()),
        }
    }
    let mut targets = targets()?;
    if let Some(name) = wanted {
        if !targets.contains(&name) {
            return Err(format!("no target {name}: {}", targets.join(", ")).into());
        }
        targets = vec![name];
    }
    let triple = triple()?;
    let folder = root()?.join("target/fuzz");
    build(&triple)?;
    for target in &targets {
        // What is found stays for the next time; seeds are only read.
        let found = folder.join("corpus").join(target);
        fs::create_dir_all(&found)?;
        let program = folder
            .join(&triple)
            .join("release")
            .join(format!("fuzz-{target}"));
        let status = Command::new(program)
            .arg(found)
            .arg(root()?.join("fuzz/seeds").join(target))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY_MB}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-artifact_prefix={}/{target}-", folder.display()))
            .args(["-print_final_stats=1", "-verbosity=0"])
            .status()?;
        if !status.success() {
            return Err(format!(
                "{target}: put the input that is named above into fuzz/seeds/{target}"
            )
            .into());
        }
        println!("{target}: {seconds} s, nothing found");
    }
    Ok(())
}

/// The folders of seeds.
fn targets() -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(root()?.join("fuzz/seeds"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// With the target named, the flags are not for build scripts, which would miss the fuzzer's symbols.
fn build(triple: &str) -> Outcome {
    let status = cargo()?
        .args([
            "build",
            "--release",
            "-p",
            "fuzz",
            "--features",
            "guided",
            "--target",
            triple,
        ])
        .args(["--config", "profile.release.lto='off'"])
        .env("CARGO_TARGET_DIR", root()?.join("target/fuzz"))
        .env("RUSTFLAGS", FLAGS.join(" "))
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err("the targets do not build".into())
    }
}

fn triple() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let told = Command::new("rustc").arg("-vV").output()?;
    let told = String::from_utf8(told.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc tells no host")?.to_owned())
}
