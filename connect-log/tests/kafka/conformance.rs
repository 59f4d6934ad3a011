//! The suite that every log passes.

use connect_log::conformance::Subject;

use super::broker::log;

async fn kafka() -> Subject {
    Subject::new(log())
}

connect_log::conformance_tests!(kafka);
