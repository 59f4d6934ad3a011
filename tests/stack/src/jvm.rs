//! A Java program as a server.

use std::path::{Path, PathBuf};

use crate::{
    Result,
    install::java,
    server::{Plan, Ready},
};

/// Halves the start of a JVM on few cores.
pub(crate) const QUICK: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/// How a JVM is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap {
    pub mb: u32,
    /// The JVM's own choice of compiler and collector: faster in the long run, slower to start.
    pub full_speed: bool,
}

/// A Java program: the oldest release it runs on, its heap and the rest of the command line.
pub(crate) struct Jvm {
    pub release: u32,
    pub heap: Heap,
    pub options: Vec<String>,
    pub class_path: String,
    pub main: &'static str,
    pub arguments: Vec<String>,
}

impl Jvm {
    /// The plan that runs it; a JDK is installed if needed.
    pub(crate) fn plan(self, ready: Ready) -> Result<Plan> {
        let mut plan = Plan::new(program(self.release)?, ready);
        let quick = QUICK.iter().filter(|_| !self.heap.full_speed);
        plan.arguments.push(format!("-Xmx{}m", self.heap.mb).into());
        plan.arguments.extend(quick.map(Into::into));
        plan.arguments
            .extend(self.options.into_iter().map(Into::into));
        plan.arguments
            .extend(["-cp".into(), self.class_path.into(), self.main.into()]);
        plan.arguments
            .extend(self.arguments.into_iter().map(Into::into));
        Ok(plan)
    }
}

/// `java` of this release or a newer one.
pub(crate) fn program(release: u32) -> Result<PathBuf> {
    Ok(java::home(release)?.join("bin/java"))
}

/// Every jar of a folder.
pub(crate) fn class_path(folder: &Path) -> String {
    format!("{}/*", folder.display())
}
