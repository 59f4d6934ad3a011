//! Starts child processes that die with this process, whatever kills it.
//!
//! The kernel sends the parent-death signal when the *thread* that started the child ends, and a test harness ends a
//! thread after each test. So one thread, which lives as long as the process, starts them all.

use std::{
    io,
    process::{Child, Command},
    sync::{
        OnceLock,
        mpsc::{Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use crate::{Error, Result, error::While};

type Order = (Command, SyncSender<io::Result<Child>>);

/// Starts the command from the long-lived thread.
pub(crate) fn spawn(command: Command) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    let (answer, started) = sync_channel(1);
    let gone = || Error::new("the thread that starts servers is gone");
    spawner().send((command, answer)).map_err(|_| gone())?;
    started
        .recv()
        .map_err(|_| gone())?
        .while_(|| format!("cannot start {program}"))
}

fn spawner() -> &'static Sender<Order> {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        thread::Builder::new()
            .name("stack-spawner".into())
            .spawn(move || {
                for (mut command, answer) in inbox {
                    // A caller that did not wait for the answer has no use for it.
                    let _ = answer.send(command.spawn());
                }
            })
            .expect("a thread can be started");
        orders
    })
}
