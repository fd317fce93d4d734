//! Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once.

use tokio_util::sync::CancellationToken;

use crate::output::note;

/// A token that the first signal cancels.
pub(crate) fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        if signal().await.is_err() {
            return;
        }
        cancel.cancel();
        if signal().await.is_ok() {
            note("stopped at once");
            std::process::exit(130);
        }
    });
    token
}

async fn signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}
