//! What the properties say of TLS.

use connect_tls::{Named, Tls, Trust};

use crate::{config::RedisConfig, error::TLS};

pub(crate) fn settings(config: &RedisConfig) -> Tls<'_> {
    Tls {
        code: &TLS,
        trust: if config.insecure {
            Trust::Anyone
        } else {
            Trust::Host
        },
        roots: Named::by("redis.cacert", config.cacert.as_deref()),
        certificate: Named::by("redis.key.cert", config.key_cert.as_deref()),
        key: Named::by("redis.key.file", config.key_file.as_deref()),
    }
}
