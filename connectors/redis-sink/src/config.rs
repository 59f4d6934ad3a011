//! The properties of the connector: redis-kafka-connect's names, and ours.

use connect_core::{
    Finding, Secret,
    config::{Positive, Rules},
    json::Style,
    template::Template,
};

use crate::address::Address;

connect_core::choice! {
    /// What a record becomes in Redis.
    pub enum Kind {
        /// An entry of a stream per record.
        Stream = "stream",
        /// A hash per row.
        Hash = "hash",
        /// A string per row: JSON for rows, the text itself for plain values.
        String = "string",
        /// A RedisJSON document per row.
        Json = "json",
        /// Accepted by name only.
        List = "list",
        /// Accepted by name only.
        Set = "set",
        /// Accepted by name only.
        Zset = "zset",
        /// Accepted by name only.
        Timeseries = "timeseries",
    }
}

connect_core::choice! {
    /// What happens to fields of a hash that the row does not have.
    pub enum HashMode {
        /// They go: the hash is the row.
        Replace = "replace",
        /// They stay: the hash has the row's fields and others.
        Merge = "merge",
    }
}

connect_core::choice! {
    /// How entries of a stream are named.
    pub enum StreamId {
        /// By the record's offset, so that a record that comes again is not added again.
        Offset = "offset",
        /// By Redis.
        Auto = "auto",
    }
}

connect_core::choice! {
    /// What a truncated table means.
    pub enum OnTruncate {
        /// Nothing.
        Ignore = "ignore",
        /// All keys of the topic are deleted.
        Delete = "delete",
    }
}

connect_core::choice! {
    /// How decimals stand in JSON.
    pub enum DecimalForm {
        /// As strings, with every digit.
        String = "string",
        /// As numbers, with every digit.
        Number = "number",
    }
}

connect_core::choice! {
    /// How dates and times are written.
    pub enum TimeForm {
        /// As ISO 8601 text.
        Iso = "iso",
        /// As the integers that records carry.
        Integer = "integer",
    }
}

connect_core::choice! {
    /// How JSON columns stand in JSON documents.
    pub enum JsonForm {
        /// As the JSON they hold.
        Nested = "nested",
        /// As strings.
        String = "string",
    }
}

connect_core::config! {
    /// Keeps Redis in step with topics.
    pub struct RedisConfig;
    group "Connection" {
        /// Address of the server: `redis://[[user:]password@]host[:port][/database]`, or `rediss://` for TLS. Wins over `redis.host` and `redis.port`.
        uri: Option<Secret> = none, "redis.uri", High;
        /// Host name of the server.
        host: String = "localhost", "redis.host", High;
        /// Port of the server.
        port: u16 = "6379", "redis.port", High;
        /// Number of the database.
        database: u32 = "0", "redis.database", Medium;
        /// Name of the ACL user.
        username: Option<String> = none, "redis.username", Medium;
        /// Password of the user.
        password: Option<Secret> = none, "redis.password", Medium;
        /// Whether the connection uses TLS.
        tls: bool = "false", "redis.tls", Medium;
        /// Accept any certificate. For tests only.
        insecure: bool = "false", "redis.insecure", Medium;
        /// File of the private key in PEM form, when the server asks for a certificate.
        key_file: Option<String> = none, "redis.key.file", Medium;
        /// File of the certificate in PEM form, when the server asks for one.
        key_cert: Option<String> = none, "redis.key.cert", Medium;
        /// Password of the private key; encrypted keys are not supported.
        key_password: Option<Secret> = none, "redis.key.password", Low;
        /// File of the certificate authorities in PEM form; the system's by default.
        cacert: Option<String> = none, "redis.cacert", Medium;
        /// Seconds to wait for the server's answer.
        timeout_seconds: Positive = "60", "redis.timeout", Medium;
        /// Whether the server is a Redis Cluster. Not supported yet.
        cluster: bool = "false", "redis.cluster", Medium;
    }
    group "Keys" {
        /// What keys begin with; the key of a stream. May have parts in braces, such as `${topic}`.
        keyspace: String = "${topic}", "redis.keyspace", Medium;
        /// What stands between keyspace and key, and between the fields of a key.
        separator: String = ":", "redis.separator", Medium;
        /// The whole key, such as `inventory:{after.sku}` or `{topic}:{key.id}`, in place of keyspace, separator and key.
        key_template: Option<String> = none, "redis.key.template", High;
        /// Seconds until a key expires after its last write; -1 for never.
        ttl_seconds: i64 = "-1", "redis.key.ttl", Medium;
    }
    group "Values" {
        /// What a record becomes in Redis: stream, hash, string or json.
        kind: Kind = "stream", "redis.type", High;
        /// Whether a hash loses fields that the row does not have (replace) or keeps them (merge).
        hash_mode: HashMode = "replace", "redis.hash.mode", Medium;
        /// How stream entries are named: by the record's offset, so that none is added twice, or by Redis.
        stream_id: StreamId = "offset", "redis.stream.id", Medium;
        /// How many entries a stream keeps, about; -1 for all.
        stream_length: i64 = "-1", "redis.stream.maxlen", Medium;
        /// What a truncated table means: ignore it, or delete all keys of its topic.
        on_truncate: OnTruncate = "ignore", "redis.truncate", Medium;
        /// How decimals stand in JSON: string or number. Both keep every digit.
        decimals: DecimalForm = "string", "redis.decimal.format", Low;
        /// How dates and times are written: iso or integer.
        times: TimeForm = "iso", "redis.time.format", Low;
        /// How JSON columns stand in JSON documents: nested or string.
        json: JsonForm = "nested", "redis.json.format", Low;
        /// The text that the source writes for an unchanged value it does not have; such fields keep what they hold.
        placeholder: String = "__debezium_unavailable_value", "unavailable.value.placeholder", Low;
    }
    group "Safety" {
        /// How many replicas must have the records before their offsets are committed.
        wait_replicas: u32 = "0", "redis.wait.replicas", Low;
        /// Milliseconds to wait for these replicas.
        wait_timeout: connect_core::config::Millis = "1000", "redis.wait.timeout", Low;
    }
}

impl RedisConfig {
    /// Where to connect.
    pub fn address(&self) -> Result<Address, String> {
        match &self.uri {
            Some(uri) => Address::parse(uri.reveal()),
            None => Ok(Address {
                host: self.host.clone(),
                port: self.port,
                tls: self.tls,
                database: self.database,
                username: None,
                password: None,
            }),
        }
        .map(|address| Address {
            tls: address.tls || self.tls,
            username: self.username.clone().or(address.username),
            password: self.password.clone().or(address.password),
            ..address
        })
    }

    /// The template of keys.
    pub fn template(&self) -> Result<Template, String> {
        let text = match (&self.key_template, self.kind) {
            (Some(text), _) => text.clone(),
            (None, Kind::Stream) => self.keyspace.clone(),
            (None, _) if self.keyspace.is_empty() => "{key}".to_owned(),
            (None, _) => {
                let separator = self.separator.replace('{', "{{").replace('}', "}}");
                format!("{}{separator}{{key}}", self.keyspace)
            }
        };
        Template::parse(&text, &self.separator)
    }

    /// How values are written.
    pub fn style(&self) -> Style {
        Style {
            decimal_numbers: self.decimals == DecimalForm::Number,
            iso_times: self.times == TimeForm::Iso,
            nested_json: self.json == JsonForm::Nested,
        }
    }

    /// Seconds until a key expires.
    pub fn ttl(&self) -> Option<i64> {
        Some(self.ttl_seconds).filter(|seconds| *seconds > 0)
    }

    fn template_findings(&self) -> Vec<Finding> {
        let name = match self.key_template {
            Some(_) => "redis.key.template",
            None => "redis.keyspace",
        };
        let template = match self.template() {
            Ok(template) => template,
            Err(why) => return vec![Finding::error(name, why)],
        };
        let mut findings = Vec::new();
        if self.kind != Kind::Stream && template.is_per_topic() {
            findings.push(Finding::error(
                name,
                "All records of a topic would get the same key: add {key}, or a field such as {after.sku}.",
            ));
        }
        let truncates = self.on_truncate == OnTruncate::Delete && self.kind != Kind::Stream;
        if truncates && !template.has("topic") && template.frame("").is_none_or(|f| f.0.is_empty())
        {
            findings.push(Finding::error(
                "redis.truncate",
                format!("With `delete`, {name} must begin with text or {{topic}}: a truncated table would delete the keys of others."),
            ));
        }
        if template.reads_row() {
            findings.push(Finding::warning(
                name,
                "Fields of the row are known at a delete only when they are part of its key or the source sends whole old rows (in PostgreSQL: REPLICA IDENTITY FULL).",
            ));
        }
        findings
    }
}

impl Rules for RedisConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = self.template_findings();
        if let Err(why) = self.address() {
            findings.push(Finding::error("redis.uri", why));
        }
        if self.cluster {
            findings.push(Finding::error(
                "redis.cluster",
                "Redis Cluster is not supported yet: use a standalone or replicated server, or a proxy endpoint of the cluster.",
            ));
        }
        if matches!(
            self.kind,
            Kind::List | Kind::Set | Kind::Zset | Kind::Timeseries
        ) {
            findings.push(Finding::error(
                "redis.type",
                format!(
                    "The type {} is not supported yet: use stream, hash, string or json.",
                    self.kind.text()
                ),
            ));
        }
        if self.key_password.is_some() {
            findings.push(Finding::error(
                "redis.key.password",
                "Encrypted private keys are not supported: decrypt the file named by redis.key.file.",
            ));
        }
        if self.key_file.is_some() != self.key_cert.is_some() {
            findings.push(Finding::error(
                "redis.key.cert",
                "redis.key.file and redis.key.cert go together.",
            ));
        }
        if self.insecure {
            findings.push(Finding::warning(
                "redis.insecure",
                "Any certificate is accepted: whoever can reach the network can read the password.",
            ));
        }
        if self.ttl_seconds == 0 || self.ttl_seconds < -1 {
            findings.push(Finding::invalid(
                "redis.key.ttl",
                &self.ttl_seconds.to_string(),
                "Value must be -1 or at least 1",
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use connect_core::{Config, Properties};

    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<RedisConfig, Vec<Finding>> {
        let given = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        RedisConfig::parse(&given.collect::<Properties>())
    }

    fn first_key(pairs: &[(&str, &str)]) -> String {
        let findings = parse(pairs).unwrap_err();
        findings.iter().find(|f| f.is_error()).unwrap().key.clone()
    }

    #[test]
    fn the_peers_configuration_is_understood() {
        let config = parse(&[
            ("redis.uri", "rediss://u:p%40ss@cache:6390/2"),
            ("redis.type", "HASH"),
            ("redis.keyspace", "shop"),
            ("redis.timeout", "5"),
        ])
        .unwrap();
        let address = config.address().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("cache", 6390));
        assert_eq!(address.password.unwrap().reveal(), "p@ss");
        assert!(address.tls && address.database == 2);
        assert!(config.kind == Kind::Hash && config.template().unwrap().has("key"));
    }

    #[test]
    fn what_cannot_work_is_said() {
        assert_eq!(first_key(&[("redis.cluster", "true")]), "redis.cluster");
        assert_eq!(first_key(&[("redis.type", "zset")]), "redis.type");
        assert_eq!(first_key(&[("redis.key.ttl", "0")]), "redis.key.ttl");
        assert_eq!(first_key(&[("redis.uri", "http://x")]), "redis.uri");
        assert_eq!(first_key(&[("redis.keyspace", "{nope}")]), "redis.keyspace");
        let one_key = [("redis.type", "hash"), ("redis.key.template", "all")];
        assert_eq!(first_key(&one_key), "redis.key.template");
        let all = [
            ("redis.type", "hash"),
            ("redis.key.template", "{key}"),
            ("redis.truncate", "delete"),
        ];
        assert_eq!(first_key(&all), "redis.truncate");
    }

    #[test]
    fn the_address_never_prints_its_password() {
        let config = parse(&[("redis.uri", "redis://u:hunter2@h")]).unwrap();
        let shown = format!("{config:?} {:?}", config.address());
        assert!(!shown.contains("hunter2"));
    }
}
