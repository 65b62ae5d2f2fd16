//! How long does the server answer? Until it is told to end, and then as long as running answers get.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::app;
use crate::connection::PatientListener;
use crate::service::Service;

/// Answers whoever connects to `listener`. When `told_to_end` is ready, no more requests are taken, and running answers may
/// finish within the time that the options give them.
///
/// # Errors
/// What the operating system says of the listener.
pub async fn serve(
    service: Arc<Service>,
    listener: TcpListener,
    told_to_end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let limit = service.options.shutdown_timeout();
    let listener = PatientListener::new(listener, service.options.stall_timeout());
    let (told, mut is_told) = tokio::sync::watch::channel(false);
    let ending = {
        let service = Arc::clone(&service);
        async move {
            told_to_end.await;
            service.end();
            tracing::info!("ending: running answers may finish");
            let _ = told.send(true);
        }
    };
    let serving = axum::serve(listener, app::router(service)).with_graceful_shutdown(ending);
    let overtime = async {
        // An error means that serving has ended already.
        let _ = is_told.wait_for(|told| *told).await;
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        outcome = serving.into_future() => outcome?,
        () = overtime => tracing::warn!("answers were cut off: they took longer than the limit"),
    }
    Ok(())
}
