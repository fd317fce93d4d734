//! What comes over a connection, and its bytes.

/// Which listener is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    Api,
    Control,
}

/// How a body is framed.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    Exact,
    /// `Content-Length` says so many bytes more, or fewer.
    Off(i64),
    /// Any text for a length.
    Length(String),
    TwoLengths(usize),
    /// In chunks of this size, orderly or with something odd.
    Chunked(usize, Oddity),
    /// Both, and they do not agree.
    Both(usize),
    /// Another transfer encoding.
    Encoding(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Oddity {
    None,
    Unending,
    BadSize,
    HugeSize,
    Extension,
    Trailer,
    BareNewline,
}

/// What comes over a connection.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Bytes(Vec<u8>),
    Request(Request),
    /// A request, with some of its bytes changed: where (of 65,536 parts), and to what.
    Damaged(Request, Vec<(u16, u8)>),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: &'static str,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
    /// Whether it comes with the right key and token: then nothing but the body is wrong.
    pub(super) signed: bool,
}

pub(super) fn lines(request: &Request, authority: &str, door: &[(String, String)]) -> Vec<u8> {
    let mut bytes = format!(
        "{} {} {}\r\nHost: {authority}\r\nConnection: close\r\n",
        request.method, request.target, request.version
    )
    .into_bytes();
    let mut add = |name: &str, value: &[u8]| {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    };
    for (name, value) in door {
        add(name, value.as_bytes());
    }
    for (name, value) in &request.headers {
        add(name, value);
    }
    let body = &request.body;
    let length = |more: i64| (body.len() as i64 + more).max(0).to_string();
    match &request.framing {
        Framing::Exact if body.is_empty() => {}
        Framing::Exact => add("Content-Length", length(0).as_bytes()),
        Framing::Off(more) => add("Content-Length", length(*more).as_bytes()),
        Framing::Length(text) => add("Content-Length", text.as_bytes()),
        Framing::TwoLengths(more) => {
            add("Content-Length", length(0).as_bytes());
            add("Content-Length", length(*more as i64).as_bytes());
        }
        Framing::Chunked(..) => add("Transfer-Encoding", b"chunked"),
        Framing::Both(more) => {
            add("Content-Length", length(*more as i64).as_bytes());
            add("Transfer-Encoding", b"chunked");
        }
        Framing::Encoding(name) => add("Transfer-Encoding", name.as_bytes()),
    }
    bytes.extend(b"\r\n");
    match request.framing {
        Framing::Chunked(size, oddity) => bytes.extend(chunks(body, size, oddity)),
        Framing::Both(_) => bytes.extend(chunks(body, 7, Oddity::None)),
        _ => bytes.extend(body),
    }
    bytes
}

fn chunks(body: &[u8], size: usize, oddity: Oddity) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        let head = match oddity {
            Oddity::BadSize => "zz\r\n".to_owned(),
            Oddity::HugeSize => "ffffffffffffffffff\r\n".to_owned(),
            Oddity::Extension => format!("{:x};{}=1\r\n", chunk.len(), "x".repeat(200)),
            Oddity::BareNewline => format!("{:x}\n", chunk.len()),
            Oddity::None | Oddity::Unending | Oddity::Trailer => format!("{:x}\r\n", chunk.len()),
        };
        bytes.extend([head.as_bytes(), chunk, b"\r\n"].concat());
    }
    bytes.extend(match oddity {
        Oddity::Unending => &b""[..],
        Oddity::Trailer => b"0\r\nX-Api-Key: trailing\r\n\r\n",
        _ => b"0\r\n\r\n",
    });
    bytes
}
