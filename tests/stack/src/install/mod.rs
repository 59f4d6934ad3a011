//! Where programs come from: Debian packages unpacked privately, jars from Maven's repositories, a JDK.

pub(crate) mod apt;
pub(crate) mod go_tool;
pub(crate) mod golang;
pub(crate) mod java;
pub(crate) mod java_program;
pub(crate) mod maven;
pub(crate) mod prefix;
pub(crate) mod pypi;
