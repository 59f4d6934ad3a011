//! The properties of the connector: those of Confluent's Elasticsearch and Aiven's OpenSearch connectors, and ours.

use connect_core::{
    Finding, Secret,
    config::{List, Millis, Positive, Rules},
    json::Style,
    template::Template,
};

connect_core::choice! {
    /// What a row does to a document that is there.
    pub enum WriteMethod {
        /// It replaces it.
        Insert = "insert",
        /// It changes the fields that it has.
        Upsert = "upsert",
    }
}

connect_core::choice! {
    /// What a null value does.
    pub enum OnNull {
        /// It deletes the document.
        Delete = "delete",
        /// Nothing.
        Ignore = "ignore",
        /// It is refused.
        Fail = "fail",
    }
}

connect_core::choice! {
    /// What happens to a document that the server refuses.
    pub enum OnMalformed {
        /// The record is refused: `errors.tolerance` decides.
        Fail = "fail",
        /// The same.
        Report = "report",
        /// It is dropped with a warning in the log.
        Warn = "warn",
        /// It is dropped.
        Ignore = "ignore",
    }
}

connect_core::choice! {
    /// What a version conflict means where versions are the server's own.
    pub enum OnConflict {
        /// Accepted by name: with external versions a conflict means that the document is newer already.
        Fail = "fail",
        /// The same.
        Warn = "warn",
        /// The same.
        Ignore = "ignore",
        /// The same.
        Report = "report",
    }
}

connect_core::choice! {
    /// Where the version of a document comes from.
    pub enum VersionSource {
        /// The offset of the record.
        Offset = "offset",
        /// The position in the source's log, in `source.lsn`.
        Lsn = "source.lsn",
        /// The server counts by itself; bulks go one after the other.
        None = "none",
    }
}

connect_core::choice! {
    /// What a deleted row means.
    pub enum DeleteMode {
        /// The document goes.
        Hard = "hard",
        /// The document stays, with `__deleted` true.
        Soft = "soft",
        /// Nothing.
        Ignore = "ignore",
    }
}

connect_core::choice! {
    /// How decimals are mapped.
    pub enum DecimalMapping {
        /// As `keyword`: exact.
        Keyword = "keyword",
        /// As `scaled_float` with the column's scale.
        ScaledFloat = "scaled_float",
        /// As `double`.
        Double = "double",
    }
}

connect_core::choice! {
    /// How dates and times are written and mapped.
    pub enum TimeForm {
        /// As ISO 8601 text, mapped as `date`.
        Iso = "iso",
        /// As the integers that records carry, mapped as `long`.
        Integer = "integer",
    }
}

connect_core::choice! {
    /// How JSON columns are written and mapped.
    pub enum JsonForm {
        /// As text.
        Text = "text",
        /// As objects, mapped dynamically.
        Object = "object",
        /// As objects that are kept and not searched.
        Stored = "stored",
    }
}

connect_core::choice! {
    /// What a truncated table means.
    pub enum OnTruncate {
        /// Nothing.
        Ignore = "ignore",
        /// All documents of the index are deleted.
        Delete = "delete",
    }
}

connect_core::config! {
    /// Keeps Elasticsearch or OpenSearch in step with topics.
    pub struct EsConfig;
    group "Connection" {
        /// Addresses of the servers, such as `https://es1:9200,https://es2:9200`.
        urls: List = required, "connection.url", High;
        /// User name.
        username: Option<String> = none, "connection.username", Medium;
        /// Password of the user.
        password: Option<Secret> = none, "connection.password", Medium;
        /// API key: `id:key`, or both in base64 as the server gives it.
        api_key: Option<Secret> = none, "connection.api.key", Medium;
        /// Whether requests are compressed with gzip.
        compression: bool = "false", "connection.compression", Low;
        /// Milliseconds to wait for a connection.
        connect_timeout: Millis = "5000", "connection.timeout.ms", Low;
        /// Milliseconds to wait for an answer.
        read_timeout: Millis = "30000", "read.timeout.ms", Low;
        /// File of the certificate authorities in PEM form; the system's by default.
        ca_file: Option<String> = none, "connection.ssl.ca.file", Medium;
        /// File of the client's certificate in PEM form.
        cert_file: Option<String> = none, "connection.ssl.certificate.file", Medium;
        /// File of the client's private key in PEM form.
        key_file: Option<String> = none, "connection.ssl.key.file", Medium;
        /// Accept any certificate. For tests only.
        trust_all: bool = "false", "connection.trust.all.certificates", Low;
    }
    group "Requests" {
        /// Documents in one request at most.
        batch_size: Positive = "2000", "batch.size", Medium;
        /// Bytes in one request at most; -1 for no limit.
        bulk_bytes: i64 = "5242880", "bulk.size.bytes", Low;
        /// Accepted by name: batches come from the worker.
        linger: Millis = "1", "linger.ms", Low;
        /// Requests under way at the same time.
        in_flight: Positive = "5", "max.in.flight.requests", Medium;
        /// Accepted by name: a task holds one batch.
        buffered: Positive = "20000", "max.buffered.records", Low;
        /// How often documents that the server could not take for the moment are sent again, before the task starts over.
        retries: u32 = "5", "max.retries", Medium;
        /// Milliseconds before the first of these; doubled each time, with jitter.
        backoff: Millis = "100", "retry.backoff.ms", Low;
    }
    group "Documents" {
        /// The index of a record, such as `{topic}` or `shop-{source.table}`; made lower-case, with characters that no index may have as `-`.
        index_name: String = "{topic}", "index.name", High;
        /// The id of a document, such as `{key}` or `{key.id}`.
        document_id: String = "{key}", "document.id", High;
        /// What stands between the fields of a key in an id.
        id_separator: String = ":", "document.id.separator", Low;
        /// Whether records are events: each becomes a document, named by topic, partition and offset.
        key_ignore: bool = "false", "key.ignore", High;
        /// Whether a row replaces its document (insert) or changes the fields that it has (upsert).
        write_method: WriteMethod = "insert", "write.method", Medium;
        /// Where versions come from: offset, source.lsn or none. With the first two, records that come again or late change nothing.
        version_source: VersionSource = "offset", "version.source", Medium;
        /// What a null value does: delete, ignore or fail.
        on_null: OnNull = "delete", "behavior.on.null.values", Medium;
        /// What a deleted row means: hard, soft or ignore.
        delete_mode: DeleteMode = "hard", "delete.mode", Medium;
        /// What a truncated table means: ignore, or delete all documents of its index.
        on_truncate: OnTruncate = "ignore", "truncate.mode", Medium;
        /// What happens to documents that the server refuses: fail and report leave it to errors.tolerance, warn and ignore drop them.
        on_malformed: OnMalformed = "fail", "behavior.on.malformed.documents", Medium;
        /// Accepted by name: a conflict of external versions means that the document is newer already.
        on_conflict: OnConflict = "ignore", "behavior.on.version.conflict", Low;
        /// The text that the source writes for an unchanged value it does not have; such fields keep what they hold.
        placeholder: String = "__debezium_unavailable_value", "unavailable.value.placeholder", Low;
    }
    group "Mapping" {
        /// Whether missing indices are created and mappings extended, from the schema of the records.
        mapping_create: bool = "true", "mapping.create", Medium;
        /// Whether schemas are ignored: the server maps fields by their first values.
        schema_ignore: bool = "false", "schema.ignore", Low;
        /// How decimals are mapped: keyword, scaled_float or double. They are written with every digit in any case.
        decimals: DecimalMapping = "keyword", "mapping.decimal", Medium;
        /// How dates and times are written: iso (mapped as date) or integer (long).
        times: TimeForm = "iso", "mapping.time", Medium;
        /// How JSON columns are written: text, object (mapped dynamically) or stored (kept, not searched).
        json: JsonForm = "text", "mapping.json", Medium;
        /// How long a new index remembers the versions of deleted documents, so that late writes lose (`index.gc_deletes`).
        gc_deletes: String = "10m", "index.gc.deletes", Low;
    }
}

impl EsConfig {
    /// The template of index names.
    pub fn index_template(&self) -> Result<Template, String> {
        Template::parse(&self.index_name, "-")
    }

    /// The template of ids.
    pub fn id_template(&self) -> Result<Template, String> {
        let text = match self.key_ignore {
            true => "{topic}+{partition}+{offset}",
            false => &self.document_id,
        };
        Template::parse(text, &self.id_separator)
    }

    /// How values are written.
    pub fn style(&self) -> Style {
        Style {
            decimal_numbers: self.decimals != DecimalMapping::Keyword,
            iso_times: self.times == TimeForm::Iso,
            nested_json: self.json != JsonForm::Text,
        }
    }

    /// Bytes in one request at most.
    pub fn request_bytes(&self) -> usize {
        usize::try_from(self.bulk_bytes).unwrap_or(usize::MAX)
    }

    /// Requests under way at the same time. Without external versions the order of requests is all the order there is.
    pub fn lanes(&self) -> usize {
        match self.version_source {
            VersionSource::Offset => self.in_flight.0 as usize,
            _ => 1,
        }
    }

    fn template_findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Err(why) = self.index_template() {
            findings.push(Finding::error("index.name", why));
        }
        match self.id_template() {
            Err(why) => findings.push(Finding::error("document.id", why)),
            Ok(id) if id.is_per_topic() => findings.push(Finding::error(
                "document.id",
                "All records of a topic would get the same id: add {key}, or a field such as {key.id}.",
            )),
            Ok(id) if id.reads_row() => findings.push(Finding::warning(
                "document.id",
                "Fields of the row are known at a delete only when they are part of its key or the source sends whole old rows (in PostgreSQL: REPLICA IDENTITY FULL).",
            )),
            Ok(_) => {}
        }
        findings
    }
}

impl Rules for EsConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = self.template_findings();
        if self.urls.0.is_empty() {
            findings.push(Finding::missing("connection.url"));
        }
        for url in &self.urls.0 {
            let ok = reqwest::Url::parse(url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !ok {
                findings.push(Finding::error(
                    "connection.url",
                    "Every address must be like http://host:9200 or https://host:9200.",
                ));
            }
        }
        if self.username.is_some() && self.api_key.is_some() {
            findings.push(Finding::error(
                "connection.api.key",
                "Either a user or an API key, not both.",
            ));
        }
        if self.cert_file.is_some() != self.key_file.is_some() {
            findings.push(Finding::error(
                "connection.ssl.certificate.file",
                "connection.ssl.certificate.file and connection.ssl.key.file go together.",
            ));
        }
        if self.trust_all {
            findings.push(Finding::warning(
                "connection.trust.all.certificates",
                "Any certificate is accepted: whoever can reach the network can read the password.",
            ));
        }
        if self.bulk_bytes == 0 || self.bulk_bytes < -1 {
            findings.push(Finding::invalid(
                "bulk.size.bytes",
                &self.bulk_bytes.to_string(),
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

    fn parse(pairs: &[(&str, &str)]) -> Result<EsConfig, Vec<Finding>> {
        let mut given = Properties::from([("connection.url".into(), "http://h:9200".into())]);
        given.extend(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())));
        EsConfig::parse(&given)
    }

    #[test]
    fn the_peers_configurations_are_understood() {
        let config = parse(&[
            ("connection.url", "http://a:9200, https://b:9200"),
            ("behavior.on.null.values", "DELETE"),
            ("write.method", "UPSERT"),
            ("behavior.on.malformed.documents", "WARN"),
            ("key.ignore", "false"),
            ("max.buffered.records", "20000"),
            ("compact.map.entries", "true"),
        ])
        .unwrap();
        assert_eq!(config.urls.0.len(), 2);
        assert_eq!(config.write_method, WriteMethod::Upsert);
    }

    #[test]
    fn what_cannot_work_is_said() {
        for (key, value) in [
            ("connection.url", "h:9200"),
            ("connection.url", ""),
            ("index.name", "{nope}"),
            ("document.id", "same"),
            ("bulk.size.bytes", "0"),
            ("version.source", "random"),
            ("connection.ssl.certificate.file", "x.pem"),
        ] {
            let findings = parse(&[(key, value)]).unwrap_err();
            let keys: Vec<_> = findings.iter().filter(|f| f.is_error()).collect();
            assert!(keys.iter().all(|f| f.key == key), "{key}: {findings:?}");
            assert!(!keys.is_empty());
        }
    }

    #[test]
    fn requests_run_side_by_side_only_with_versions() {
        assert_eq!(parse(&[]).unwrap().lanes(), 5);
        assert_eq!(parse(&[("version.source", "none")]).unwrap().lanes(), 1);
    }
}
