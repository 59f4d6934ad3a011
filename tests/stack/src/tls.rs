//! Certificates for the servers: one authority, made once and kept in the cache.

use std::{fs, path::PathBuf, process::Command};

use crate::{Result, cache, install::prefix::program, run::run};

const EXTENSIONS: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n\
    extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature,keyEncipherment\n";

/// The folder with `ca.pem`; `server.pem`, `server.key` for localhost and 127.0.0.1; `client.pem`, `client.key` for
/// the user `cdc`.
pub fn certificates() -> Result<PathBuf> {
    cache::install("tls", |folder, _| {
        let openssl = program("openssl")?;
        let run_in = |arguments: &[&str]| {
            run(Command::new(&openssl).args(arguments).current_dir(folder)).map(|_| ())
        };
        fs::write(folder.join("leaf.ext"), EXTENSIONS)?;
        run_in(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "3650",
            "-subj",
            "/CN=Tidewater test CA",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ])?;
        for (name, subject) in [("server", "/CN=localhost"), ("client", "/CN=cdc")] {
            let (key, request, pem) = (
                format!("{name}.key"),
                format!("{name}.csr"),
                format!("{name}.pem"),
            );
            run_in(&[
                "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", &key, "-out",
                &request,
            ])?;
            run_in(&[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "3650",
                "-extfile",
                "leaf.ext",
                "-out",
                &pem,
            ])?;
        }
        run(Command::new("chmod")
            .args(["a+r", "server.key", "client.key"])
            .current_dir(folder))?;
        Ok(())
    })
}
