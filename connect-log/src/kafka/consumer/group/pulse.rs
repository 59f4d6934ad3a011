//! Heartbeats, and what coordinators say instead of yes.

use connect_core::{Error, Result};
use kafka_protocol::{
    ResponseError as Kafka,
    messages::{GroupId, HeartbeatRequest},
};
use tokio::time::{Instant, timeout};

use super::member::Life;
use crate::{
    UNAVAILABLE,
    kafka::wire::{Verdict, verdict},
};

const HEARTBEAT: i16 = 4;

/// What a heartbeat tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    Well,
    /// The group is formed anew.
    Rejoin,
    /// The group went on without us. It may still know us.
    Late,
    /// The group does not know us any more.
    Out,
    /// Another one has our place.
    Replaced,
    /// Nobody answered.
    Unknown,
}

/// What a coordinator says instead of yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Rejoin,
    NeedsId,
    /// Of an earlier generation.
    Late,
    Out,
    Replaced,
    /// The others share in another way.
    Strangers,
}

/// The meaning of a code; the error for one that says nothing about our membership.
pub(super) fn refusal(code: i16) -> Result<Option<Refusal>> {
    let Some(kafka) = Kafka::try_from_code(code) else {
        return Ok(None);
    };
    Ok(Some(match kafka {
        Kafka::RebalanceInProgress => Refusal::Rejoin,
        Kafka::MemberIdRequired => Refusal::NeedsId,
        Kafka::IllegalGeneration => Refusal::Late,
        Kafka::UnknownMemberId => Refusal::Out,
        Kafka::FencedInstanceId => Refusal::Replaced,
        Kafka::InconsistentGroupProtocol => Refusal::Strangers,
        Kafka::InvalidSessionTimeout => {
            let what = "the broker refuses `session.timeout.ms`: see its `group.min.session.timeout.ms` and `group.max.session.timeout.ms`";
            return Err(Error::new(&crate::SETTING, what));
        }
        _ => match verdict("join a group", code) {
            Verdict::Done => return Ok(None),
            Verdict::Again(error) => {
                return Err(
                    Error::new(&UNAVAILABLE, "the group's coordinator is not ready")
                        .caused_by(error),
                );
            }
            Verdict::OutOfOrder(error) | Verdict::Never(error) => return Err(error),
        },
    }))
}

impl Life {
    /// One heartbeat. After a session without an answer we are out, whoever knows of it.
    pub(super) async fn beat(&mut self) -> Beat {
        let (identity, _) = self.standing().identity();
        if identity.generation < 0 {
            return Beat::Well;
        }
        let sent = Instant::now();
        let settings = &self.shared.settings.group;
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(self.group.name.clone()))
            .with_generation_id(identity.generation)
            .with_member_id(identity.member)
            .with_group_instance_id(settings.instance.clone());
        let asked = self
            .coordinator
            .ask_once(&self.shared.cluster, &request, HEARTBEAT);
        let answer = timeout(settings.session / 2, asked).await;
        let refused = match answer {
            Ok(Ok(answer)) => refusal(answer.error_code),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::new(
                &UNAVAILABLE,
                "the group's coordinator does not answer",
            )),
        };
        match refused {
            Ok(None) => {
                self.heard = sent;
                Beat::Well
            }
            Ok(Some(Refusal::Rejoin | Refusal::NeedsId)) => {
                self.heard = sent;
                Beat::Rejoin
            }
            Ok(Some(Refusal::Late)) => Beat::Late,
            Ok(Some(Refusal::Out | Refusal::Strangers)) => Beat::Out,
            Ok(Some(Refusal::Replaced)) => Beat::Replaced,
            Err(error) => self.unheard(&error),
        }
    }

    fn unheard(&mut self, error: &Error) -> Beat {
        tracing::debug!(error = %error.report(), "a heartbeat was not answered");
        self.coordinator.forget();
        if self.heard.elapsed() > self.shared.settings.group.session {
            return Beat::Late;
        }
        Beat::Unknown
    }
}
