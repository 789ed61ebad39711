//! Waiting for something that nobody tells.

use std::time::Duration;

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until something is so.
///
/// # Panics
/// If it is not within two minutes; says what.
pub async fn until(what: &str, look: impl AsyncFnMut() -> bool) {
    assert!(is_so(look).await, "{what}: not in {PATIENCE:?}");
}

/// Whether something comes to be so within two minutes.
pub(crate) async fn is_so(mut look: impl AsyncFnMut() -> bool) -> bool {
    let looking = async {
        while !look().await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.is_ok()
}
