//! A sandbox is one machine's: whoever tests against it comes from one address, and with as many
//! connections as he likes.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::world::Serving;

/// More than any one address has at a gate.
const CONNECTIONS: usize = 300;

#[test]
fn a_sandbox_answers_over_hundreds_of_connections_from_one_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = "sandbox --ephemeral --listen 127.0.0.1:0 --control 127.0.0.1:0";
    let args: Vec<_> = args.split(' ').map(OsStr::new).collect();
    let serving = Serving::start(folder.path(), &args);
    let url = serving.ready["sandbox"]["base_url"]
        .as_str()
        .expect("a URL");
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut lines: Vec<_> = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    for line in &mut lines {
        let ask = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
        line.write_all(ask).expect("it is open");
        let mut start = [0; 12];
        line.read_exact(&mut start).expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 200");
    }
}
