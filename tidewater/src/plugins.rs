//! The connectors of this program: adding one is adding a line.

use connect_core::plugin::Plugin;

/// All connectors.
pub(crate) fn all() -> Vec<Plugin> {
    vec![
        Plugin::source::<postgres_source::PostgresSource>(),
        Plugin::source::<mysql_source::MySqlSource>(),
        Plugin::source::<mysql_source::MariaDbSource>(),
        Plugin::sink::<redis_sink::RedisSink>(),
        Plugin::sink::<es_sink::EsSink>(),
        Plugin::source::<file_stream::FileSource>(),
        Plugin::sink::<file_stream::FileSink>(),
    ]
}
