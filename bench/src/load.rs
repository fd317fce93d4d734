//! A closed-loop load: each connection sends its next request once the last is answered.
//!
//! Requests are bytes made beforehand, so that the generator costs as little as it can; it has a
//! core of its own, and the server has the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{cores, figures};

/// Longest wait for everything to be answered.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most headers of an answer.
const MAX_HEADERS: usize = 32;

/// Requests as they go over the wire.
pub(crate) type Requests = Arc<Vec<Vec<u8>>>;

/// Sends every request once, over so many connections; how many were answered a second. Fails if
/// one is not answered with success.
pub(crate) fn per_second(
    server: SocketAddr,
    requests: &Requests,
    connections: usize,
) -> anyhow::Result<f64> {
    let (count, requests) = (requests.len(), Arc::clone(requests));
    let took = cores::on_async(cores::LOAD, move || run(server, requests, connections))?;
    figures::per_second(count, took)
}

/// An answer, its head told apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// One connection, for calls one after another.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    pub(crate) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            stream: connect(server).await?,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Sends a request; its answer, and how long that took.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<(Answer, Duration)> {
        let began = Instant::now();
        let (head, length) = answer(&mut self.stream, request, &mut self.buffer).await?;
        let took = began.elapsed();
        let part = |from: usize, to: usize| self.buffer.get(from..to).unwrap_or_default();
        let answer = Answer {
            head: String::from_utf8_lossy(part(0, head)).into_owned(),
            body: part(head, length).to_vec(),
        };
        Ok((answer, took))
    }
}

/// The body of one answer.
pub(crate) fn body(server: SocketAddr, request: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    cores::wait(async move { Ok(Line::open(server).await?.call(&request).await?.0.body) })
}

/// Whether the server refuses a request with 401.
pub(crate) fn refuses(server: SocketAddr, request: Vec<u8>) -> anyhow::Result<bool> {
    cores::wait(async move {
        let mut stream = connect(server).await?;
        stream.write_all(&request).await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        Ok(&start == b"HTTP/1.1 401")
    })
}

async fn run(
    server: SocketAddr,
    requests: Requests,
    connections: usize,
) -> anyhow::Result<Duration> {
    ensure!(
        requests.len() >= connections,
        "fewer requests than connections"
    );
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(connect(server).await?);
    }
    let started = Instant::now();
    let drive = |(first, mut stream): (usize, TcpStream)| {
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            for request in requests.iter().skip(first).step_by(connections) {
                answer(&mut stream, request, &mut buffer).await?;
            }
            Ok::<_, anyhow::Error>(())
        })
    };
    let tasks: Vec<_> = streams.into_iter().enumerate().map(drive).collect();
    let all = async {
        for task in tasks {
            task.await??;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .context("the server stands still")??;
    Ok(started.elapsed())
}

async fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(server)
        .await
        .with_context(|| format!("{server} cannot be reached"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its answer; where its body begins and ends.
async fn answer(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> anyhow::Result<(usize, usize)> {
    stream.write_all(request).await?;
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = stream.read(room).await?;
        ensure!(read > 0, "the server hung up, or its answer is too long");
        filled += read;
        let Some((head, length)) = extent(buffer.get(..filled).unwrap_or_default())? else {
            continue;
        };
        ensure!(filled <= length, "more came than was asked for");
        if filled == length {
            return Ok((head, length));
        }
        if length > buffer.len() {
            buffer.resize(length, 0);
        }
    }
}

/// Where the answer's body begins and ends, once its head is there.
fn extent(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else {
        return Ok(None);
    };
    if !matches!(answer.code, Some(200..=299)) {
        let start = bytes.get(..bytes.len().min(600)).unwrap_or_default();
        bail!("answered {}", String::from_utf8_lossy(start));
    }
    let length = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| {
            std::str::from_utf8(header.value)
                .ok()?
                .parse::<usize>()
                .ok()
        })
        .context("the answer has no length")?;
    Ok(Some((head, head + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end_and_anything_but_200_is_told() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(extent(whole).expect("an answer"), Some((38, 41)));
        assert_eq!(extent(&whole[..20]).expect("a part"), None);
        let refused = extent(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        assert!(refused.expect_err("refused").to_string().contains("401"));
        assert!(extent(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
