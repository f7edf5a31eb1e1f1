//! One GET at a time over a plain socket: all that asking an agent, or another that serves,
//! takes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

const PATIENCE: Duration = Duration::from_secs(10);

/// The body of the answer, which must be 200.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nobody answers at {address}"))?;
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set a time limit")?;
    // Version 1.0: the answer ends with the connection and is never chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").context("cannot ask")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).with_context(|| format!("no answer to {path}"))?;
    body(&answer).map(str::to_owned).with_context(|| format!("GET {path}"))
}

fn body(answer: &str) -> Result<&str> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is cut off")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("{status}: {}", body.trim());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::body;

    fn check(answer: &str, expected: Result<&str, &str>) {
        assert_eq!(
            body(answer).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn only_a_whole_answer_of_200_has_a_body() {
        check("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody", Ok("body"));
        check("HTTP/1.0 200 OK\r\n\r\n", Ok(""));
        check(
            "HTTP/1.0 503 Service Unavailable\r\n\r\nnot yet\n",
            Err("HTTP/1.0 503 Service Unavailable: not yet"),
        );
        check("HTTP/1.0 200 OK\r\nA: b", Err("the answer is cut off"));
        check("", Err("the answer is cut off"));
    }
}
