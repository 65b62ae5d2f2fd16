//! When is a connection given up? When its client takes nothing for a while of what is there for it.
//!
//! An answer is written whether it is read or not, so a client that stops reading costs no time of the model; but its
//! connection and the text that waits for it would stay for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// Hands out connections that wait only so long for their clients.
pub(crate) struct PatientListener {
    listener: TcpListener,
    max_stall: Duration,
}

impl PatientListener {
    pub(crate) fn new(listener: TcpListener, max_stall: Duration) -> PatientListener {
        PatientListener { listener, max_stall }
    }
}

impl Listener for PatientListener {
    type Io = Connection<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection<TcpStream>, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Connection::new(stream, self.max_stall), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A stream to which nothing can be written any more once it has taken nothing for `max_stall`.
pub(crate) struct Connection<S> {
    stream: S,
    max_stall: Duration,
    /// Runs while something waits to be taken.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, max_stall: Duration) -> Connection<S> {
        Connection { stream, max_stall, stall: None }
    }

    /// Does one thing to the stream, and fails where that has been pending for too long.
    fn patiently<T>(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let outcome = act(Pin::new(&mut self.stream), context);
        if outcome.is_ready() {
            self.stall = None;
            return outcome;
        }
        let max_stall = self.max_stall;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(max_stall)));
        stall.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.patiently(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.patiently(context, |stream, context| stream.poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.patiently(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.patiently(context, |stream, context| stream.poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    const MAX_STALL: Duration = Duration::from_secs(60);

    /// In virtual time, which goes on when nothing else can.
    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up() {
        let (server, mut client) = duplex(8);
        let mut connection = Connection::new(server, MAX_STALL);
        let start = Instant::now();
        let writing = tokio::spawn(async move { connection.write_all(&[1; 64]).await });
        // Slow, but never for so long that it counts.
        for _ in 0..4 {
            tokio::time::sleep(MAX_STALL / 2).await;
            client.read_exact(&mut [0; 8]).await.unwrap();
        }
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), (4 * MAX_STALL / 2 + MAX_STALL).as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_nothing_to_take_may_wait() {
        let (server, mut client) = duplex(8);
        let mut connection = Connection::new(server, MAX_STALL);
        connection.write_all(&[1; 8]).await.unwrap();
        tokio::time::sleep(10 * MAX_STALL).await;
        client.read_exact(&mut [0; 8]).await.unwrap();
        connection.write_all(&[1; 8]).await.unwrap();
    }
}
