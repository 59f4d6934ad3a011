//! What a set of manifests says of itself: what is named is there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The manifests of one release.
pub(crate) struct Manifests(pub(crate) Vec<Value>);

impl Manifests {
    /// All of a kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|one| one["kind"] == kind).collect()
    }

    /// The only one of a kind.
    pub(crate) fn one(&self, kind: &str) -> &Value {
        let all = self.of(kind);
        assert_eq!(all.len(), 1, "{kind}");
        all[0]
    }

    /// The text of the worker's properties.
    pub(crate) fn properties(&self) -> &str {
        let text = &self.one("Secret")["stringData"]["tidewater.properties"];
        text.as_str().expect("a text")
    }

    /// Everything that is named is there, or among `outside`: names of secrets that others make.
    pub(crate) fn check(&self, outside: &[&str]) {
        let set = self.one("StatefulSet");
        let pod = &set["spec"]["template"];
        let labels = &pod["metadata"]["labels"];
        assert!(selects(&set["spec"]["selector"]["matchLabels"], labels));
        for service in self.of("Service") {
            assert!(selects(&service["spec"]["selector"], labels));
        }
        let services: BTreeSet<&str> = self.of("Service").into_iter().map(name).collect();
        assert!(services.contains(text(&set["spec"]["serviceName"])));
        for budget in self.of("PodDisruptionBudget") {
            assert!(selects(&budget["spec"]["selector"]["matchLabels"], labels));
        }
        self.check_ports(&pod["spec"]["containers"][0]);
        self.check_volumes(set, outside);
        let account = text(&pod["spec"]["serviceAccountName"]);
        let made = self.of("ServiceAccount").into_iter().map(name);
        assert!(account == "default" || made.into_iter().any(|made| made == account));
    }

    fn check_ports(&self, worker: &Value) {
        let ports: BTreeSet<&str> = list(&worker["ports"]).map(|p| text(&p["name"])).collect();
        for probe in ["livenessProbe", "readinessProbe"] {
            let how = object(&worker[probe]).get("httpGet");
            let how = how.unwrap_or(&worker[probe]["tcpSocket"]);
            assert!(ports.contains(text(&how["port"])), "{probe}");
        }
        for service in self.of("Service") {
            for port in list(&service["spec"]["ports"]) {
                assert!(ports.contains(text(&port["targetPort"])), "{port}");
            }
        }
        for monitor in self.of("ServiceMonitor") {
            let wanted = &monitor["spec"]["selector"]["matchLabels"];
            let services = self.of("Service").into_iter();
            let mut found = services.filter(|one| selects(wanted, &one["metadata"]["labels"]));
            let service = found.next().expect("a service to read");
            assert!(found.next().is_none(), "each worker is read once");
            let mut named = list(&service["spec"]["ports"]).map(|port| text(&port["name"]));
            assert!(named.any(|port| port == text(&monitor["spec"]["endpoints"][0]["port"])));
        }
    }

    fn check_volumes(&self, set: &Value, outside: &[&str]) {
        let pod = &set["spec"]["template"]["spec"];
        let claims = list(&set["spec"]["volumeClaimTemplates"]).map(name);
        let volumes = list(&pod["volumes"]).map(|volume| text(&volume["name"]));
        let volumes: Vec<&str> = volumes.chain(claims).collect();
        let different: BTreeSet<&str> = volumes.iter().copied().collect();
        assert_eq!(different.len(), volumes.len(), "{volumes:?}");
        let mounted = list(&pod["containers"][0]["volumeMounts"]);
        let mounted: BTreeSet<&str> = mounted.map(|mount| text(&mount["name"])).collect();
        assert_eq!(mounted, different, "all that is mounted is there, and used");
        let made: Vec<&str> = self.of("Secret").into_iter().map(name).collect();
        for volume in list(&pod["volumes"]) {
            if let Some(secret) = object(volume).get("secret") {
                let wanted = text(&secret["secretName"]);
                assert!(
                    made.contains(&wanted) || outside.contains(&wanted),
                    "{wanted}"
                );
            }
        }
    }
}

/// Whether the labels have all that a selector, which is not empty, asks for.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = object(selector);
    !wanted.is_empty() && wanted.iter().all(|(name, value)| labels[name] == *value)
}

/// The name of a manifest.
pub(crate) fn name(of: &Value) -> &str {
    text(&of["metadata"]["name"])
}

/// A text that has to be there.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The parts of a list; none of what is missing.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}
