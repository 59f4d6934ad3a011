//! What the worker's properties say of the REST API: where it listens, who may come, how much they may ask.

use connect_core::{
    Error, Properties, Result,
    config::{Config as _, List, Millis, Rules, invalid},
};

connect_core::choice! {
    /// Whether clients must show a certificate.
    pub enum ClientAuth {
        /// None is asked for.
        None = "none",
        /// One that is shown must be good.
        Requested = "requested",
        /// Only who has a good one is served.
        Required = "required",
    }
}

connect_core::config! {
    /// The REST API's properties, by Kafka Connect's names where it has them.
    pub struct RestConfig;
    group "Listeners" {
        /// Addresses of the REST API: `http://HOST:PORT` and `https://HOST:PORT`. Without a host it is every address.
        listeners: List = "http://:8083", "listeners", Low;
        /// Addresses of `/admin` alone. Empty switches it off; without the property it is served by `listeners`.
        admin_listeners: Option<List> = none, "admin.listeners", Low;
        /// Host name under which clients reach this worker.
        advertised_host: Option<String> = none, "rest.advertised.host.name", Low;
        /// Port under which clients reach this worker.
        advertised_port: Option<u16> = none, "rest.advertised.port", Low;
        /// Which listener is told to clients: `http` or `https`.
        advertised_listener: Option<String> = none, "rest.advertised.listener", Low;
        /// Origins of pages that may use the API (CORS), separated by commas; `*` for all.
        cors_origins: List = "", "access.control.allow.origin", Low;
        /// Methods that such pages may use.
        cors_methods: List = "", "access.control.allow.methods", Low;
        /// Headers of every answer: `add|set|addDate|setDate NAME:VALUE`, separated by commas.
        headers: Option<String> = none, "response.http.headers.config", Low;
    }
    group "Who may come" {
        /// Extensions; `org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension` is built in.
        extensions: List = "", "rest.extension.classes", Low;
        /// The file of JAAS whose section `KafkaConnect` names the file of users for that extension. Without the property it is the
        /// one in `-Djava.security.auth.login.config=` of the environment variable `KAFKA_OPTS`.
        jaas: Option<String> = none, "rest.jaas.config.file", Low;
        /// The file of users, tokens and certificates with their roles.
        users: Option<String> = none, "rest.users.file", Medium;
        /// Paths that need no login, such as `/health`.
        open_paths: List = "", "rest.users.open.paths", Low;
        /// Whether secrets in configurations are shown as `[hidden]`.
        masked: bool = "true", "rest.secrets.masked", Medium;
        /// Where changes are told, a line of JSON each: a file, or `log` for the worker's log.
        audit: Option<String> = none, "rest.audit.log", Medium;
        /// Whether requests that only read are told, too.
        audit_reads: bool = "false", "rest.audit.reads", Low;
    }
    group "Limits" {
        /// The largest body, in bytes.
        body_bytes: u32 = "4194304", "rest.max.body.bytes", Low;
        /// The largest head of a request, in bytes; at least 8192.
        head_bytes: u32 = "65536", "rest.max.header.bytes", Low;
        /// The most connections at a time; more wait.
        connections: u32 = "1000", "rest.max.connections", Low;
        /// How long a client may take to send the head of a request.
        head_time: Millis = "30000", "rest.header.timeout.ms", Low;
        /// How long a client may take to send a body.
        body_time: Millis = "30000", "rest.body.timeout.ms", Low;
        /// Requests per second of one client (its login, else its address); 0 for no limit.
        rate: u32 = "0", "rest.max.requests.per.second", Low;
        /// So many requests may come at once before the rate holds.
        burst: u32 = "100", "rest.max.requests.burst", Low;
    }
}

impl Rules for RestConfig {}

/// The extension of Kafka Connect that asks for a login.
const BASIC_AUTH: &str =
    "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";

impl RestConfig {
    /// Reads a worker's properties. The error names everything that does not hold.
    pub fn read(given: &Properties) -> Result<Self> {
        let mut config = Self::parse(given).map_err(|findings| invalid(&findings))?;
        if given
            .get("admin.listeners")
            .is_some_and(|text| text.trim().is_empty())
        {
            config.admin_listeners = Some(List(Vec::new()));
        }
        for class in &config.extensions.0 {
            if class != BASIC_AUTH {
                return Err(Error::config(format!(
                    "rest.extension.classes: {class} is not known here; there is {BASIC_AUTH}"
                )));
            }
        }
        Ok(config)
    }

    /// Whether Kafka Connect's extension for logins is on.
    pub(crate) fn has_basic_auth(&self) -> bool {
        !self.extensions.0.is_empty()
    }

    /// A property of TLS: `listeners.https.NAME`, else `NAME`.
    pub(crate) fn tls(&self, name: &str) -> Option<&str> {
        let own = self.rest.get(&format!("listeners.https.{name}"));
        let found = own.or_else(|| self.rest.get(name));
        found.map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl Default for RestConfig {
    fn default() -> Self {
        Self::read(&Properties::new()).expect("every property has a default")
    }
}
