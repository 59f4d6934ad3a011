//! Between many appenders and the one writer: bounded in bytes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use connect_core::{Error, Result};
use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;

use super::request::{Request, Work};

/// The unit in which room is counted.
const ROOM_UNIT: usize = 1 << 10;

/// Requests in the order in which they came.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    room: Semaphore,
    units: u32,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Request, Room)>,
    closed: bool,
}

/// Room that a request takes until it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room(u32);

impl Queue {
    pub(crate) fn new(max_bytes: usize) -> Arc<Self> {
        let units = u32::try_from(max_bytes.div_ceil(ROOM_UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, 1 << 28);
        Arc::new(Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            room: Semaphore::new(units as usize),
            units,
        })
    }

    /// Waits until there is room for so many bytes. More than there ever is waits until the queue is empty.
    // Invariant 4: what waits for the disk is bounded.
    pub(crate) async fn room(&self, bytes: usize) -> Result<Room> {
        let units = u32::try_from(bytes.div_ceil(ROOM_UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.units);
        let permit = self.room.acquire_many(units).await.map_err(|_| closed())?;
        permit.forget();
        Ok(Room(units))
    }

    /// Puts a request at the end.
    pub(crate) fn push(&self, request: Request, room: Room) -> Result<()> {
        let mut state = self.state.lock();
        if state.closed {
            self.give_back(room);
            return Err(closed());
        }
        state.waiting.push_back((request, room));
        self.filled.notify_one();
        Ok(())
    }

    /// Moves the next requests to `out`: all up to about `max_bytes`. Waits for the first; `false` when it was closed and is empty.
    pub(crate) fn take(&self, out: &mut Vec<(Request, Room)>, max_bytes: usize) -> bool {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return false;
            }
            self.filled.wait_for(&mut state, Duration::from_secs(60));
        }
        let mut bytes = 0;
        while bytes < max_bytes
            && let Some((request, room)) = state.waiting.pop_front()
        {
            bytes += room.0 as usize * ROOM_UNIT;
            out.push((request, room));
        }
        true
    }

    /// The requests are written, or never will be.
    pub(crate) fn give_back(&self, room: Room) {
        self.room.add_permits(room.0 as usize);
    }

    /// There is no writer any more: nobody may wait for it.
    pub(crate) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut self.state.lock().waiting);
        for (request, _) in waiting {
            if let Work::Records(records) = request.work {
                records.author.fail(&closed());
            }
        }
    }

    /// Takes nothing more; what waits is still written.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.room.close();
        self.filled.notify_all();
    }
}

pub(crate) fn closed() -> Error {
    Error::new(&crate::error::UNAVAILABLE, "the log was closed")
}
