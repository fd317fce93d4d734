//! Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::output::note;

/// What a command that was ended before it was done exits with: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// That exit code.
pub(crate) fn interrupted() -> ExitCode {
    INTERRUPTED.into()
}

/// A token that the first signal cancels. Signals are caught from here on.
pub(crate) fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return token;
    };
    let cancel = token.clone();
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        cancel.cancel();
        either(&mut interrupt, &mut terminate).await;
        note("stopped at once");
        std::process::exit(INTERRUPTED.into());
    });
    token
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
