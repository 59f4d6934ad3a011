//! Jars by Maven's own client, from the repositories it is configured for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::java;
use crate::{Error, Result, cache, run};

const DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// A published artifact: group, name, version.
#[derive(Clone, Copy)]
pub(crate) struct Artifact(pub &'static str, pub &'static str, pub &'static str);

impl Artifact {
    fn dependency(self) -> String {
        let Self(group, name, version) = self;
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
             <version>{version}</version></dependency>"
        )
    }

    /// A project of this name with nothing in it.
    fn empty(self) -> String {
        let Self(group, name, version) = self;
        format!(
            "<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{name}</artifactId>\
             <version>{version}</version><packaging>pom</packaging></project>\n"
        )
    }
}

/// Copies the artifacts and all they need at run time into `folder`.
pub(crate) fn copy(artifacts: &[Artifact], folder: &Path) -> Result<()> {
    copy_all(&[(folder.to_path_buf(), artifacts.to_vec())], &[], folder)
}

/// The same for several folders in one run of Maven. The project files are written beside `base`, for the time of
/// the run. `parents` stand in for parents of published projects, which not every registry has: empty ones, so that
/// their children bring nothing but themselves.
pub(crate) fn copy_all(
    folders: &[(PathBuf, Vec<Artifact>)],
    parents: &[Artifact],
    base: &Path,
) -> Result<()> {
    let project = base.with_extension("pom");
    let mut modules = String::new();
    for parent in parents {
        let Artifact(_, name, _) = parent;
        modules += &format!("<module>{name}</module>");
        cache::create(&project.join(name))?;
        fs::write(project.join(name).join("pom.xml"), parent.empty())?;
    }
    for (index, (folder, artifacts)) in folders.iter().enumerate() {
        let name = format!("part{index}");
        modules += &format!("<module>{name}</module>");
        let dependencies: String = artifacts
            .iter()
            .map(|artifact| artifact.dependency())
            .collect();
        let body = format!(
            "<properties><outputDirectory>{}</outputDirectory></properties>\
             <dependencies>{dependencies}</dependencies>",
            folder.display()
        );
        cache::create(&project.join(&name))?;
        fs::write(project.join(&name).join("pom.xml"), pom(&name, &body))?;
    }
    fs::write(
        project.join("pom.xml"),
        pom("all", &format!("<modules>{modules}</modules>")),
    )?;
    run::run(
        maven()?
            .arg("-f")
            .arg(project.join("pom.xml"))
            .arg(format!("{DEPENDENCY_PLUGIN}:copy-dependencies"))
            .arg("-DincludeScope=runtime"),
    )?;
    cache::remove(&project)
}

/// Unpacks the files that match `includes` of an archive `group:name:version:type` into `folder`.
pub(crate) fn unpack(archive: &str, includes: &str, folder: &Path) -> Result<()> {
    // A repository of its own, dropped afterwards: the archive is far larger than the part used. The project keeps the
    // plugin's marker files away from here.
    let project = folder.with_extension("pom");
    cache::create(&project)?;
    fs::write(project.join("pom.xml"), pom("unpack", ""))?;
    run::run(
        maven()?
            .arg("-f")
            .arg(project.join("pom.xml"))
            .arg(format!(
                "-Dmaven.repo.local={}",
                project.join("repository").display()
            ))
            .arg(format!("{DEPENDENCY_PLUGIN}:unpack"))
            .arg(format!("-Dartifact={archive}"))
            .arg(format!("-Dmdep.unpack.includes={includes}"))
            .arg(format!("-DoutputDirectory={}", folder.display())),
    )?;
    cache::remove(&project)
}

fn pom(name: &str, body: &str) -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>stack</groupId><artifactId>{name}</artifactId>\
         <version>1</version><packaging>pom</packaging>{body}</project>\n"
    )
}

fn maven() -> Result<Command> {
    let mut command = Command::new(find_or_install()?);
    command.args(["-B", "-q", "-ntp"]);
    if env::var_os("JAVA_HOME").is_none() && run::on_path("java").is_none() {
        command.env("JAVA_HOME", java::home(17)?);
    }
    Ok(command)
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = run::on_path("mvn") {
        return Ok(found);
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::new(
            "Maven is missing: sudo apt-get install maven openjdk-17-jdk-headless",
        ));
    }
    let _lock = cache::lock("apt")?;
    eprintln!("stack: installing maven and a JDK by apt-get");
    let apt = |words: &[&str]| {
        run::run(
            Command::new("apt-get")
                .args(words)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    apt(&["-qq", "update"])?;
    apt(&[
        "-qq",
        "-y",
        "--no-install-recommends",
        "install",
        "maven",
        "openjdk-17-jdk-headless",
    ])?;
    run::on_path("mvn").ok_or_else(|| Error::new("apt-get installed maven, yet there is no mvn"))
}
