//! Standard input, of which a program has one: tasks that are made one after the other share it.

use std::{
    io::{BufRead, stdin},
    sync::{Arc, OnceLock},
    thread,
};

use tokio::{
    sync::{Mutex, mpsc},
    time::{Duration, timeout},
};

/// So many lines wait at most for a task to take them.
const WAITING: usize = 1024;
/// How long a quiet input is waited for.
const QUIET: Duration = Duration::from_millis(500);

/// The lines of standard input.
pub(super) struct Stdin(Arc<Mutex<mpsc::Receiver<Vec<u8>>>>);

impl Stdin {
    /// The one there is. A thread reads it from the first call on; it ends with the input.
    pub(super) fn shared() -> Self {
        static LINES: OnceLock<Arc<Mutex<mpsc::Receiver<Vec<u8>>>>> = OnceLock::new();
        let lines = LINES.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(WAITING);
            thread::spawn(move || read(&sender));
            Arc::new(Mutex::new(receiver))
        });
        Self(Arc::clone(lines))
    }

    /// Gives the lines that are there to `push` for as long as it has room; waits a moment for the first.
    pub(super) async fn read(&mut self, push: &mut (dyn FnMut(&[u8]) -> bool + Send)) {
        let mut lines = self.0.lock().await;
        let Ok(first) = timeout(QUIET, lines.recv()).await else {
            return;
        };
        let Some(first) = first else {
            // The input has ended; the task goes on without anything to do.
            tokio::time::sleep(QUIET).await;
            return;
        };
        let mut has_room = push(&first);
        while has_room {
            let Ok(line) = lines.try_recv() else { return };
            has_room = push(&line);
        }
    }
}

fn read(sender: &mpsc::Sender<Vec<u8>>) {
    let mut input = stdin().lock();
    loop {
        let mut line = Vec::new();
        match input.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if sender.blocking_send(line).is_err() {
            return;
        }
    }
}
