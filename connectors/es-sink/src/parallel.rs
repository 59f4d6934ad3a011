//! Some futures side by side in one task.

use std::{future::poll_fn, pin::Pin, task::Poll};

use connect_core::Result;

/// Runs futures, at most `limit` at a time, and collects what they give, in no particular order. Ends at the first error.
pub(crate) async fn in_parallel<T, F: Future<Output = Result<T>>>(
    limit: usize,
    futures: impl IntoIterator<Item = F>,
) -> Result<Vec<T>> {
    let mut waiting = futures.into_iter();
    let mut running: Vec<Pin<Box<F>>> = waiting.by_ref().take(limit.max(1)).map(Box::pin).collect();
    let mut done = Vec::new();
    while !running.is_empty() {
        let (at, given) = poll_fn(|context| {
            for (at, future) in running.iter_mut().enumerate() {
                if let Poll::Ready(given) = future.as_mut().poll(context) {
                    return Poll::Ready((at, given));
                }
            }
            Poll::Pending
        })
        .await;
        done.push(given?);
        running.swap_remove(at);
        running.extend(waiting.next().map(Box::pin));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use connect_core::Error;

    use super::*;

    #[tokio::test]
    async fn all_run_and_never_too_many() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let (now, most) = (&now, &most);
        let futures = (0..20).map(|number| async move {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            Ok(number)
        });
        let mut done = in_parallel(3, futures).await.unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(most.get(), 3);
    }

    #[tokio::test]
    async fn an_error_ends_it() {
        let futures = (0..5).map(|number| async move {
            match number {
                3 => Err(Error::record("three")),
                other => Ok(other),
            }
        });
        assert!(in_parallel(1, futures).await.is_err());
    }
}
