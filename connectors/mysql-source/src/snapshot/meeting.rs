//! Where connections meet, so that the transactions of all of them begin in one moment.
//!
//! Each thread connects, comes, and waits for the call. It opens its transaction as often as it is called, since the moment may
//! have been none; then it stays.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cdc::{context::Context, snapshot::Connect};
use connect_core::{Error, Result};
use tokio::sync::{mpsc, watch};

use super::{
    moment::{Seen, open, prepare},
    session::Session,
};
use crate::{
    error::{self, is_of_server},
    position::Mark,
    wire::{Connection, Side, Vigil},
};

/// The server has no connection left: for anybody, or for this user.
const TOO_MANY: [u16; 3] = [1040, 1203, 1226];

/// What the threads are called to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Nothing yet.
    Wait,
    /// Open a transaction, for the nth time.
    Open(u32),
    /// Go on with it.
    Stay,
}

/// What a thread answers: that it is there, or what its transaction has seen.
type Answer = Result<Option<Seen>>;

/// The side of the one who calls.
#[derive(Debug)]
pub(super) struct Meeting {
    call: watch::Sender<Call>,
    called: u32,
    seats: Vec<mpsc::Receiver<Answer>>,
    moment: Arc<OnceLock<Mark>>,
}

/// The side of the threads.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) side: Side,
    pub(super) context: Option<Context>,
    pub(super) silence_limit: std::time::Duration,
    call: watch::Receiver<Call>,
    seats: Vec<Mutex<Option<mpsc::Sender<Answer>>>>,
    moment: Arc<OnceLock<Mark>>,
}

/// A place for so many threads, which connect as `side` does.
pub(super) fn meeting(
    threads: usize,
    side: Side,
    context: Option<Context>,
    silence_limit: std::time::Duration,
) -> (Meeting, Sessions) {
    let (call, called) = watch::channel(Call::Wait);
    let (senders, receivers) = (0..threads)
        .map(|_| mpsc::channel(1))
        .map(|(sender, receiver)| (Mutex::new(Some(sender)), receiver))
        .unzip();
    let moment = Arc::new(OnceLock::new());
    let meeting = Meeting {
        call,
        called: 0,
        seats: receivers,
        moment: Arc::clone(&moment),
    };
    let sessions = Sessions {
        side,
        context,
        silence_limit,
        call: called,
        seats: senders,
        moment,
    };
    (meeting, sessions)
}

impl Meeting {
    /// Waits until everybody has come who can.
    pub(super) async fn gather(&mut self) -> Result<()> {
        let mut here = Vec::new();
        for mut seat in self.seats.drain(..) {
            // One that has no connection leaves without a word here; its thread tells why.
            if let Some(answer) = seat.recv().await {
                answer?;
                here.push(seat);
            }
        }
        self.seats = here;
        Ok(())
    }

    /// Has everybody open a transaction; gives what they have seen.
    pub(super) async fn open(&mut self) -> Result<Vec<Option<Seen>>> {
        self.called += 1;
        self.call.send_replace(Call::Open(self.called));
        let mut all = Vec::new();
        for seat in &mut self.seats {
            let answer = seat.recv().await;
            all.push(answer.unwrap_or_else(|| Err(error::closed()))?);
        }
        Ok(all)
    }

    /// The moment was one: it was this.
    pub(super) fn end(self, moment: Mark) -> Arc<OnceLock<Mark>> {
        let _ = self.moment.set(moment);
        self.call.send_replace(Call::Stay);
        self.moment
    }
}

impl Sessions {
    async fn meet(&self, connection: &mut Connection, seat: mpsc::Sender<Answer>) -> Result<()> {
        let gone = || Error::new(&connect_core::error::INTERNAL, "a snapshot was given up");
        let mut call = self.call.clone();
        seat.send(Ok(None)).await.map_err(|_| gone())?;
        loop {
            call.changed().await.map_err(|_| gone())?;
            let now = *call.borrow_and_update();
            match now {
                Call::Wait => {}
                Call::Stay => return Ok(()),
                Call::Open(_) => {
                    let opened = open(connection).await;
                    let is_open = opened.is_ok();
                    seat.send(opened).await.map_err(|_| gone())?;
                    if !is_open {
                        return Err(gone());
                    }
                }
            }
        }
    }
}

impl Connect for Sessions {
    type Reader = Session;

    async fn connect(&self, number: usize) -> Result<Session> {
        let seat = self.seats.get(number);
        let seat = seat.and_then(|seat| seat.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut connection = self.side.fresh().await?;
        prepare(&mut connection).await?;
        let limit = self.silence_limit;
        let vigil = Vigil::new(self.side.target().clone(), &connection, limit);
        if let Some(seat) = seat {
            self.meet(&mut connection, seat).await?;
        }
        let (moment, context) = (Arc::clone(&self.moment), self.context.clone());
        Ok(Session::new(connection, vigil, moment, context))
    }

    fn is_refused(&self, error: &Error) -> bool {
        is_of_server(error, &TOO_MANY)
    }
}
