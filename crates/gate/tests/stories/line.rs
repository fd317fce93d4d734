//! The line between gate and workspace: notes each request, and can lose an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// The line.
#[derive(Clone)]
pub struct Line(Arc<Inner>);

struct Inner {
    at: SocketAddr,
    to: SocketAddr,
    asked: std::sync::Mutex<Vec<String>>,
    /// Every byte of every request.
    heard: std::sync::Mutex<Vec<u8>>,
    loses: AtomicBool,
    /// A status that a machine on the way answers the next transaction with.
    intercepts: AtomicU16,
    /// Whether answers are kept back.
    slow: AtomicBool,
    /// A status that every read is answered with, and how often it was.
    refuses: AtomicU16,
    refused: AtomicUsize,
}

impl Line {
    /// A line to there.
    pub async fn to(to: SocketAddr) -> Self {
        // Both ends' names are of one length, so that one can stand for the other in an answer.
        let listener = loop {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let at = listener.local_addr().expect("an address");
            if at.to_string().len() == to.to_string().len() {
                break listener;
            }
        };
        let line = Self(Arc::new(Inner {
            at: listener.local_addr().expect("an address"),
            to,
            asked: std::sync::Mutex::default(),
            heard: std::sync::Mutex::default(),
            loses: AtomicBool::new(false),
            intercepts: AtomicU16::new(0),
            slow: AtomicBool::new(false),
            refuses: AtomicU16::new(0),
            refused: AtomicUsize::new(0),
        }));
        let this = line.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let line = this.clone();
                tokio::spawn(async move { line.carry(stream).await });
            }
        });
        line
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.0.at)
    }

    /// Every request so far: method and target.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().expect("a lock").clone()
    }

    /// Whether any request had this in it, in its head or its body.
    pub fn heard(&self, text: &str) -> bool {
        find(&self.0.heard.lock().expect("a lock"), text.as_bytes()).is_some()
    }

    /// How many transactions were asked for.
    pub fn sent(&self) -> usize {
        let asked = self.asked();
        asked
            .iter()
            .filter(|line| *line == "POST /v1/transactions")
            .count()
    }

    /// The next transaction arrives, and its answer does not.
    pub fn lose_an_answer(&self) {
        self.0.loses.store(true, Ordering::SeqCst);
    }

    pub fn has_lost_it(&self) -> bool {
        !self.0.loses.load(Ordering::SeqCst)
    }

    /// The next transaction does not arrive: a machine on the way answers with a page of its own.
    pub fn intercept(&self, status: u16) {
        self.0.intercepts.store(status, Ordering::SeqCst);
    }

    pub fn has_intercepted(&self) -> bool {
        self.0.intercepts.load(Ordering::SeqCst) == 0
    }

    /// Requests arrive, and every answer stays on the line for as long as it is slow.
    pub fn is_slow(&self, slow: bool) {
        self.0.slow.store(slow, Ordering::SeqCst);
    }

    /// From now on no read arrives: a machine on the way answers each with a page of its own.
    pub fn refuse_reads(&self, status: u16) {
        self.0.refuses.store(status, Ordering::SeqCst);
    }

    /// From now on reads arrive again.
    pub fn let_reads_pass(&self) {
        self.refuse_reads(0);
    }

    /// How many reads did not arrive.
    pub fn refused(&self) -> usize {
        self.0.refused.load(Ordering::SeqCst)
    }

    async fn carry(&self, client: TcpStream) {
        let Ok(server) = TcpStream::connect(self.0.to).await else {
            return;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (lost, to_client) = (AtomicBool::new(false), Mutex::new(to_client));
        tokio::select! {
            page = self.up(from_client, to_server, &lost) => {
                if let Some(page) = page {
                    let _ = to_client.lock().await.write_all(page.as_bytes()).await;
                }
            }
            () = self.down(from_server, &to_client, &lost) => {}
        }
    }

    /// Requests; a page, if that is what one is answered with.
    async fn up(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        lost: &AtomicBool,
    ) -> Option<String> {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            self.0
                .heard
                .lock()
                .expect("a lock")
                .extend_from_slice(&bytes[..count]);
            let text = String::from_utf8_lossy(&bytes[..count]);
            for line in text
                .lines()
                .filter_map(|line| line.strip_suffix(" HTTP/1.1"))
            {
                let status = self.0.refuses.load(Ordering::SeqCst);
                if status != 0 && line.starts_with("GET ") {
                    self.0.refused.fetch_add(1, Ordering::SeqCst);
                    return Some(page(status));
                }
                if line == "POST /v1/transactions" && self.0.loses.load(Ordering::SeqCst) {
                    lost.store(true, Ordering::SeqCst);
                }
                if line == "POST /v1/transactions" {
                    let status = self.0.intercepts.swap(0, Ordering::SeqCst);
                    if status != 0 {
                        return Some(page(status));
                    }
                }
                self.0.asked.lock().expect("a lock").push(line.to_owned());
            }
            if to.write_all(&bytes[..count]).await.is_err() {
                return None;
            }
        }
        None
    }

    /// Answers, with this line's name where the workspace gives its own.
    async fn down(&self, mut from: OwnedReadHalf, to: &Mutex<OwnedWriteHalf>, lost: &AtomicBool) {
        let (theirs, ours) = (self.0.to.to_string(), self.0.at.to_string());
        let (theirs, ours) = (theirs.as_bytes(), ours.as_bytes());
        let mut ahead = Vec::new();
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if lost.load(Ordering::SeqCst) {
                self.0.loses.store(false, Ordering::SeqCst);
                return;
            }
            while self.0.slow.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            ahead.extend_from_slice(&bytes[..count]);
            let mut at = 0;
            while let Some(place) = ahead.get(at..).and_then(|rest| find(rest, theirs)) {
                ahead[at + place..at + place + ours.len()].copy_from_slice(ours);
                at += place + ours.len();
            }
            // A name may be cut in two: its beginning waits for the rest.
            let begun = (1..theirs.len())
                .rev()
                .find(|len| ahead.ends_with(&theirs[..*len]));
            let rest = ahead.split_off(ahead.len() - begun.unwrap_or(0));
            if to.lock().await.write_all(&ahead).await.is_err() {
                return;
            }
            ahead = rest;
        }
        let _ = to.lock().await.write_all(&ahead).await;
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|some| some == needle)
}

fn page(status: u16) -> String {
    let body = "<html>This page is not for you</html>";
    let length = body.len();
    format!(
        "HTTP/1.1 {status} No\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
