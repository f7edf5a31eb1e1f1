//! Clients of all kinds, over real sockets.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{
    Clients, Door, MAX_HEAD_BYTES, MAX_HEADERS, PATIENCE, Patience, Security, bind, serve_with,
};
use crate::telemetry::ClientFault;

/// A server on a free port of the loopback interface, ended by its drop.
pub(crate) struct Server {
    pub(super) address: SocketAddr,
    clients: Arc<Clients>,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("no end of the head");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }
}

impl Server {
    pub(crate) fn start(router: Router) -> Self {
        Self::start_with(PATIENCE, router)
    }

    fn start_with(patience: Patience, router: Router) -> Self {
        let clients = Arc::<Clients>::default();
        let door = Door::new(&Security::default(), Arc::clone(&clients)).unwrap();
        Self::behind(patience, door, clients, router)
    }

    pub(super) fn behind(
        patience: Patience,
        door: Door,
        clients: Arc<Clients>,
        router: Router,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(bind(([127, 0, 0, 1], 0).into())).unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, signal) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(serve_with(patience, listener, door, router, async {
                signal.await.unwrap_or_default();
            }));
        });
        Self { address, clients, shutdown: Some(shutdown), thread: Some(thread) }
    }

    /// Waits until so many connections ended for this fault.
    #[track_caller]
    pub(super) fn wait_for(&self, fault: ClientFault, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.clients.usage().faults_total[fault.label()] < count {
            assert!(Instant::now() < deadline, "{fault:?}: {:?}", self.clients.usage());
            thread::sleep(Duration::from_millis(20));
        }
        let found = self.clients.usage().faults_total;
        assert_eq!(found[fault.label()], count, "{found:?}");
    }

    /// Sends a head with this first line on a connection of its own.
    pub(crate) fn request(&self, first_line: &str) -> Reply {
        let mut stream = self.connect();
        write!(stream, "{first_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        read_reply(stream)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn stop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            // The server may have ended already.
            shutdown.send(()).unwrap_or_default();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn read_reply(mut stream: impl Read) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Reply::parse(&bytes)
}

fn small() -> Router {
    Router::new().route("/", get(async || "fine"))
}

const IMPATIENT: Patience = Patience {
    connections: 1,
    head: Duration::from_millis(300),
    stalled: Duration::from_millis(300),
    ..PATIENCE
};

/// The next client has to wait for the only place, and gets it soon.
#[track_caller]
fn check_next_client_is_served(server: &Server) {
    let start = Instant::now();
    assert_eq!(server.request("GET / HTTP/1.1").body, "fine");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_client_that_says_nothing_or_half_of_it_is_dropped() {
    let server = Server::start_with(IMPATIENT, small());
    for said in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut client = server.connect();
        client.write_all(said.as_bytes()).unwrap();
        check_next_client_is_served(&server);
    }
    server.wait_for(ClientFault::Slow, 3);
}

#[test]
fn a_client_that_trickles_is_dropped() {
    let server = Server::start_with(IMPATIENT, small());
    let mut client = server.connect();
    let trickle = thread::spawn(move || {
        while client.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    check_next_client_is_served(&server);
    trickle.join().unwrap();
    server.wait_for(ClientFault::Slow, 1);
}

#[test]
fn a_client_that_does_not_take_its_answer_is_dropped() {
    let large = small().route("/large", get(async || vec![b'x'; 64 << 20]));
    let server = Server::start_with(IMPATIENT, large);
    let mut stuck = server.connect();
    stuck.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    check_next_client_is_served(&server);
    server.wait_for(ClientFault::Stalled, 1);
}

#[test]
fn who_only_holds_connections_gives_place_to_who_asks() {
    // Nobody is late by any other time limit of these.
    let patience = Patience { silent: Duration::from_millis(200), ..PATIENCE };
    let server = Server::start_with(patience, small());
    let holders: Vec<TcpStream> = (0..patience.connections * 2).map(|_| server.connect()).collect();
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(server.request("GET / HTTP/1.1").body, "fine");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    }
    let displaced = server.clients.usage().faults_total["displaced"];
    assert!(displaced >= patience.connections as u64, "{displaced}");
    drop(holders);
}

#[test]
fn who_is_answered_keeps_its_place() {
    let slow = small().route(
        "/slow",
        get(async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            "late"
        }),
    );
    let patience = Patience { connections: 1, silent: Duration::from_millis(100), ..PATIENCE };
    let server = Server::start_with(patience, slow);
    let mut busy = server.connect();
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(server.request("GET / HTTP/1.1").body, "fine");
    assert_eq!(read_reply(busy).body, "late");
    server.wait_for(ClientFault::Displaced, 0);
}

#[test]
fn a_connection_ends_with_its_time() {
    let patience = Patience {
        connections: 1,
        connection: Duration::from_millis(500),
        last_answer: Duration::from_millis(200),
        ..PATIENCE
    };
    let server = Server::start_with(patience, small());
    let mut busy = server.connect();
    let client = thread::spawn(move || {
        let mut answer = [0; 4096];
        let mut answers = 0;
        while busy.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_ok()
            && busy.read(&mut answer).is_ok_and(|length| length > 0)
        {
            answers += 1;
            thread::sleep(Duration::from_millis(20));
        }
        answers
    });
    check_next_client_is_served(&server);
    assert!(client.join().unwrap() > 5);
}

#[test]
fn oversized_heads_are_refused() {
    let server = Server::start(small());
    #[track_caller]
    fn check(server: &Server, head: &str, expected: u16) {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(read_reply(stream).status, expected);
    }
    let value = "x".repeat(MAX_HEAD_BYTES);
    check(&server, &format!("GET / HTTP/1.1\r\nHost: x\r\nLong: {value}\r\n\r\n"), 431);
    let many = "A: b\r\n".repeat(MAX_HEADERS + 1);
    check(&server, &format!("GET / HTTP/1.1\r\n{many}\r\n"), 431);
    check(&server, "GET / HTTP/1.1\r\n\0\r\n\r\n", 400);
    server.wait_for(ClientFault::Malformed, 3);
}

#[test]
fn requests_under_way_are_finished_at_shutdown() {
    let slow = Router::new().route(
        "/",
        get(async || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            "late"
        }),
    );
    let mut server = Server::start(slow);
    let mut client = server.connect();
    write!(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let idle = server.connect();
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(read_reply(client).body, "late");
    drop(idle);
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn what_cannot_be_bound_is_one_sentence_with_a_way_out() {
    let runtime = Runtime::new().unwrap();
    let server = Server::start(small());
    let check = |address: SocketAddr, expected: &str| {
        let error = runtime.block_on(bind(address)).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}: {expected}"));
    };
    check(
        server.address,
        "another program has this port; stop it, or choose another port with --listen",
    );
    check(
        ([192, 0, 2, 1], 9464).into(),
        "this machine has no such address; choose one of its own with --listen",
    );
}
