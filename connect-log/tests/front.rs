//! The read-only Kafka front, with the clients that people have: kcat, Kafka's own Java tools, librdkafka. And with one that
//! misbehaves.

mod front {
    mod administration;
    mod groups;
    mod java;
    mod kcat;
    mod librdkafka;
    mod measure;
    mod misbehaving;
    mod subject;
}
