use super::*;

fn applied(pairs: &[(&str, &str)]) -> Result<Properties> {
    let settings = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    let mut properties = Properties::default();
    apply(&mut properties, &settings.collect())?;
    Ok(properties)
}

#[test]
fn properties_have_one_name_and_one_spelling() {
    let properties = applied(&[
        ("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"),
        ("max.block.ms", "9223372036854775807"),
        ("message.timeout.ms", " 2147483647 "),
        ("queue.buffering.max.kbytes", "16"),
        ("fetch.wait.max.ms", "100"),
        ("auto.offset.reset", "error"),
        ("no.such.thing", "1"),
        ("acks", "all"),
        ("check.crcs", "True"),
        ("compression.codec", "GZIP"),
        ("security.protocol", "sasl_ssl"),
        ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
        ("sasl.jaas.config", "x.PlainLoginModule required username=\"a\" password=\"b\";"),
        ("ssl.endpoint.identification.algorithm", ""),
    ])
    .unwrap();
    for (name, value) in [
        ("buffer.memory", Some("16384")),
        ("delivery.timeout.ms", Some("2147483647")),
        ("fetch.max.wait.ms", Some("100")),
        ("fetch.wait.max.ms", Some("100")),
        ("auto.offset.reset", Some("none")),
        ("check.crcs", Some("true")),
        ("compression.type", Some("gzip")),
        ("security.protocol", Some("SASL_SSL")),
        ("partition.assignment.strategy", Some("range")),
        ("sasl.username", Some("a")),
        ("sasl.password", Some("b")),
        ("ssl.endpoint.identification.algorithm", Some("none")),
        ("key.serializer", None),
        ("no.such.thing", None),
        ("acks", None),
    ] {
        assert_eq!(properties.get(name), value, "{name}");
    }
    assert_eq!(properties.number("buffer.memory"), Some(16_384_u64));
}

#[test]
fn what_is_not_allowed_is_told_with_what_is() {
    for (name, value, allowed) in [
        ("linger.ms", "soon", "from 0 to 2147483647"),
        ("buffer.memory", "x", "at least 1"),
        ("buffer.memory", "0", "at least 1"),
        ("queue.buffering.max.kbytes", "-1", "at least 1"),
        ("delivery.timeout.ms", "2147483648", "from 1 to 2147483647"),
        ("request.timeout.ms", "1.5", "from 1 to"),
        ("max.poll.records", "0", "from 1 to"),
        ("acks", "2", "all, -1, 0, 1"),
        (
            "compression.type",
            "brotli",
            "none, gzip, snappy, lz4, zstd",
        ),
        (
            "isolation.level",
            "committed",
            "read_committed, read_uncommitted",
        ),
        (
            "auto.offset.reset",
            "by_duration:PT1H",
            "earliest, latest, none",
        ),
        (
            "security.protocol",
            "TLS",
            "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
        ),
        ("group.protocol", "consumer", "it must be classic"),
        ("check.crcs", "yes", "true or false"),
        ("partition.assignment.strategy", "a.b.Mine", "RangeAssignor"),
        (
            "ssl.endpoint.identification.algorithm",
            "ldaps",
            "https, none",
        ),
        ("ssl.truststore.location", "a.jks", ""),
    ] {
        let error = applied(&[(name, value)]).unwrap_err();
        assert_eq!(error.code(), &crate::SETTING, "{name}");
        let text = error.report();
        assert!(text.contains(name) && text.contains(allowed), "{text}");
    }
}

#[test]
fn values_do_not_print() {
    let properties = applied(&[("sasl.password", "hunter2"), ("client.id", "me")]).unwrap();
    assert_eq!(
        format!("{properties:?}"),
        "{\"client.id\", \"sasl.password\"}"
    );
    let error = applied(&[("batch.size", "hunter2")]).unwrap_err();
    assert!(!error.report().contains("hunter2"), "{}", error.report());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(name: String, value: String) {
        let _ = applied(&[(&name, &value)]);
        for known in ["acks", "batch.size", "sasl.jaas.config", "ssl.keystore.key", "auto.offset.reset"] {
            let _ = applied(&[(known, &value)]);
        }
    }
}
