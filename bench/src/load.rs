//! A closed-loop load: each connection sends its next request once the last is answered.
//!
//! Requests are bytes made beforehand, so that the generator costs as little as it can: it shares
//! the machine with what it measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a run showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Answers a second.
    pub(crate) per_second: f64,
}

/// Sends every request once, over so many connections; fails if one is not answered with 200.
pub(crate) async fn run(server: SocketAddr, requests: Vec<Vec<u8>>, connections: usize) -> anyhow::Result<Rate> {
    let count = requests.len();
    ensure!(count >= connections, "fewer requests than connections");
    let mut shares: Vec<Vec<Vec<u8>>> = (0..connections).map(|_| Vec::new()).collect();
    for (at, request) in requests.into_iter().enumerate() {
        shares[at % connections].push(request);
    }
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(server).await.with_context(|| format!("{server} cannot be reached"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .zip(shares)
        .map(|(stream, share)| tokio::spawn(drive(stream, share)))
        .collect();
    for task in tasks {
        tokio::time::timeout(Duration::from_secs(120), task).await.context("the server stands still")???;
    }
    Ok(Rate { per_second: count as f64 / started.elapsed().as_secs_f64() })
}

async fn drive(mut stream: TcpStream, requests: Vec<Vec<u8>>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    for request in &requests {
        stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await?;
            ensure!(read > 0, "the server hung up");
            filled += read;
            if let Some(length) = answer_length(&buffer[..filled])? {
                if filled >= length {
                    break;
                }
                if length > buffer.len() {
                    buffer.resize(length, 0);
                }
            }
        }
    }
    Ok(())
}

/// How long the whole answer is, once its head is there.
fn answer_length(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else { return Ok(None) };
    if answer.code != Some(200) {
        bail!("answered {}", String::from_utf8_lossy(&bytes[..bytes.len().min(600)]));
    }
    let length = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok())
        .context("the answer has no length")?;
    Ok(Some(head + length))
}
