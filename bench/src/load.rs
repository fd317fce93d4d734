//! A closed-loop load: each connection sends its next request once the last is answered.
//!
//! Requests are bytes made beforehand, so that the generator costs as little as it can; it has one core,
//! which it shares with a workspace's sandbox at most, and the server has the other.

mod clock;
pub(crate) mod paced;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::{cores, figures};

/// Longest wait for everything to be answered.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most connections from one address: the gate has a share for each. Beyond it they come from neighbours.
const OF_ONE: usize = 200;
/// Most headers of an answer.
const MAX_HEADERS: usize = 32;

/// Requests as they go over the wire.
pub(crate) type Requests = Arc<Vec<Vec<u8>>>;

/// How a server is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    server: SocketAddr,
    connections: usize,
    /// From where.
    from: IpAddr,
    /// What each answer must have; success if missing.
    status: Option<u16>,
    /// Whether the generator never sleeps.
    awake: bool,
}

impl Load {
    /// Over so many connections.
    pub(crate) fn new(server: SocketAddr, connections: usize) -> Self {
        Self {
            server,
            connections,
            from: Ipv4Addr::LOCALHOST.into(),
            status: None,
            awake: false,
        }
    }

    /// By a generator that never sleeps: no server pays for waking it, which on one machine costs as much
    /// as a small answer, and which a caller elsewhere does not cost.
    pub(crate) fn awake(self) -> Self {
        Self {
            awake: true,
            ..self
        }
    }

    /// From another address.
    pub(crate) fn from(self, from: IpAddr) -> Self {
        Self { from, ..self }
    }

    /// Each is to be refused with this.
    pub(crate) fn refused(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// Sends every request once; how many were answered a second. Fails if one is not answered as it is to be.
    pub(crate) fn per_second(self, requests: &Requests) -> anyhow::Result<f64> {
        let (count, requests) = (requests.len(), Arc::clone(requests));
        let took = cores::on_async(cores::LOAD, move || async move {
            if self.awake {
                stay_awake(|| ());
            }
            run(self, requests).await
        })?;
        figures::per_second(count, took)
    }

    async fn connect(self) -> anyhow::Result<TcpStream> {
        let unreached = || format!("{} cannot be reached", self.server);
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(self.from, 0))?;
        let stream = socket.connect(self.server).await.with_context(unreached)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connected(self) -> anyhow::Result<Vec<TcpStream>> {
        let mut streams = Vec::new();
        for number in 0..self.connections {
            let neighbour = u8::try_from(1 + number / OF_ONE)?;
            let from = if self.connections > OF_ONE {
                Ipv4Addr::new(127, 0, 1, neighbour).into()
            } else {
                self.from
            };
            streams.push(self.from(from).connect().await?);
        }
        Ok(streams)
    }
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
            stream: Load::new(server, 1).connect().await?,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Sends a request; its answer, and how long that took.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<(Answer, Duration)> {
        let began = Instant::now();
        let (head, length) = answer(&mut self.stream, request, &mut self.buffer, None).await?;
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
        let mut stream = Load::new(server, 1).connect().await?;
        stream.write_all(&request).await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        Ok(&start == b"HTTP/1.1 401")
    })
}

/// Does this again and again, and so never sleeps, until the runtime ends.
fn stay_awake(look: impl Fn() + Send + 'static) {
    tokio::spawn(async move {
        loop {
            look();
            tokio::task::yield_now().await;
        }
    });
}

async fn run(load: Load, requests: Requests) -> anyhow::Result<Duration> {
    let connections = load.connections;
    ensure!(
        requests.len() >= connections,
        "fewer requests than connections"
    );
    let streams = load.connected().await?;
    let started = Instant::now();
    let drive = |(first, mut stream): (usize, TcpStream)| {
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            for request in requests.iter().skip(first).step_by(connections) {
                answer(&mut stream, request, &mut buffer, load.status).await?;
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

/// Sends a request and reads its answer; where its body begins and ends.
async fn answer(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
    status: Option<u16>,
) -> anyhow::Result<(usize, usize)> {
    stream.write_all(request).await?;
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = stream.read(room).await?;
        ensure!(read > 0, "the server hung up, or its answer is too long");
        filled += read;
        let Some((head, length)) = extent(buffer.get(..filled).unwrap_or_default(), status)? else {
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
fn extent(bytes: &[u8], status: Option<u16>) -> anyhow::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else {
        return Ok(None);
    };
    let expected = match status {
        Some(_) => answer.code == status,
        None => matches!(answer.code, Some(200..=299)),
    };
    if !expected {
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
        assert_eq!(extent(whole, None).expect("an answer"), Some((38, 41)));
        assert_eq!(extent(&whole[..20], None).expect("a part"), None);
        let refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        let told = extent(refused, None).expect_err("refused").to_string();
        assert!(told.contains("401"), "{told}");
        assert!(extent(refused, Some(401)).is_ok() && extent(whole, Some(401)).is_err());
        assert!(extent(b"HTTP/1.1 200 OK\r\n\r\n", None).is_err());
    }
}
