use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Instant,
};

use super::*;
use crate::container::{
    Lookup, LookupCounts,
    ask::{
        server::{Script, Server},
        sockets::tests::{containerd, engine},
    },
    files::tests::{Host, with_containerd},
    recorded::{DOCKER_WEB, IMAGE, WEB, recorded},
};

const LONG: Duration = Duration::from_secs(10);

/// All answers to one request.
fn answers(
    lookup: &Lookup,
    inbox: &Receiver<Answer>,
    id: &str,
    runtime: Option<Runtime>,
) -> Vec<Answer> {
    assert!(lookup.request(id, runtime, None));
    to_the_last(inbox)
}

fn to_the_last(inbox: &Receiver<Answer>) -> Vec<Answer> {
    let mut answers = Vec::new();
    loop {
        answers.push(inbox.recv_timeout(LONG).expect("an answer"));
        if answers.last().is_some_and(|answer| answer.is_final) {
            return answers;
        }
    }
}

fn image(answer: &Answer) -> Option<&str> {
    answer.facts.as_ref()?.image.as_deref()
}

#[test]
fn files_answer_at_once_and_the_runtime_upgrades() {
    let host = Host::new();
    with_containerd(&host);
    let server = Server::start(&host.path("run/containerd/containerd.sock"), containerd("v1"));
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    let told = answers(&lookup, &inbox, WEB, Some(Runtime::Containerd));
    assert_eq!(told.iter().map(|answer| answer.is_final).collect::<Vec<_>>(), [false, true]);
    assert_eq!(image(&told[0]), Some("registry.test:5000/other/name:latest"));
    assert_eq!(image(&told[1]), Some(IMAGE));
    // What only files know is still there.
    assert!(told[1].facts.as_ref().is_some_and(|facts| facts.root.is_some()));

    // The second time it is known.
    let asked = server.asked();
    let again = answers(&lookup, &inbox, WEB, None);
    assert_eq!((again.len(), again[0].facts.clone()), (1, told[1].facts.clone()));
    assert_eq!(server.asked(), asked);
    assert!(lookup.forget(WEB));
    assert_eq!(answers(&lookup, &inbox, WEB, None).len(), 2);
    assert!(server.asked() > asked);
    let counts = LookupCounts { requests: 3, found: 2, cached: 1, ..LookupCounts::default() };
    assert_eq!(lookup.counts(), counts);
}

#[test]
fn a_container_that_is_being_made_is_waited_for() {
    let host = Host::new();
    let path = format!("var/lib/docker/containers/{DOCKER_WEB}/config.v2.json");
    let whole = recorded!("docker/web/config.v2.json");
    host.write(&path, &whole[..100]);
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    assert!(lookup.request(DOCKER_WEB, None, None));
    std::thread::sleep(Duration::from_millis(20));
    host.write(&path, whole);
    assert_eq!(image(&to_the_last(&inbox)[0]), Some(IMAGE));
    assert_eq!(lookup.counts().malformed, 0);
}

#[test]
fn what_is_forgotten_while_it_is_asked_is_not_remembered() {
    let host = Host::new();
    let path = format!("var/lib/docker/containers/{DOCKER_WEB}/config.v2.json");
    host.write(&path, "{");
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    assert!(lookup.request(DOCKER_WEB, None, None) && lookup.forget(DOCKER_WEB));
    host.write(&path, recorded!("docker/web/config.v2.json"));
    assert_eq!(image(&to_the_last(&inbox)[0]), Some(IMAGE));
    answers(&lookup, &inbox, DOCKER_WEB, None);
    assert_eq!((lookup.counts().found, lookup.counts().cached), (2, 0));
}

#[test]
fn a_runtime_that_comes_to_know_is_asked_again() {
    let host = Host::new();
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    assert!(lookup.request(DOCKER_WEB, Some(Runtime::Docker), None));
    std::thread::sleep(Duration::from_millis(20));
    let script = engine(DOCKER_WEB, recorded!("docker/web/inspect.json"), "{}");
    let _server = Server::start(&host.path("run/docker.sock"), script);
    assert_eq!(image(&to_the_last(&inbox)[0]), Some(IMAGE));
}

#[test]
fn nobody_knows() {
    let host = Host::new();
    host.write(&format!("var/lib/docker/containers/{DOCKER_WEB}/config.v2.json"), "{");
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    let begin = Instant::now();
    assert!(lookup.request(DOCKER_WEB, None, None));
    // Asked meanwhile, it is answered once.
    assert!(lookup.request(DOCKER_WEB, None, None));
    let told = to_the_last(&inbox);
    assert_eq!((told.len(), told[0].facts.clone()), (1, None));
    assert!(begin.elapsed() >= PAUSES.iter().sum::<Duration>());
    let counts = LookupCounts { requests: 2, unknown: 1, malformed: 1, ..LookupCounts::default() };
    assert_eq!(lookup.counts(), counts);
    assert_eq!(inbox.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
}

#[test]
fn many_are_asked_at_the_same_time() {
    let host = Host::new();
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    let begin = Instant::now();
    for n in 0..200 {
        assert!(lookup.request(&format!("{n:064x}"), None, None));
    }
    for _ in 0..200 {
        assert!(inbox.recv_timeout(LONG).expect("an answer").is_final);
    }
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert_eq!(lookup.counts().unknown, 200);
}

#[test]
fn system_containers_are_their_names_and_nonsense_is_nothing() {
    let host = Host::new();
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    let check = |id: &str, runtime, expected: Option<&str>| {
        let told = answers(&lookup, &inbox, id, runtime);
        let name = told[0].facts.as_ref().and_then(|facts| facts.name.as_deref());
        assert_eq!((told.len(), name), (1, expected), "{id}");
    };
    check("web 1", Some(Runtime::Lxc), Some("web 1"));
    check("box", Some(Runtime::Nspawn), Some("box"));
    check("..", None, None);
    check("../../etc", None, None);
    check("a b", None, None);
    check("", None, None);
    check(&"a".repeat(256), None, None);
    assert_eq!(lookup.counts().invalid, 5);
}

#[test]
fn the_queue_and_the_memory_are_bounded() {
    let host = Host::new();
    let (answers, _inbox) = std::sync::mpsc::sync_channel(1);
    let counts = Arc::new(Counters::default());
    let mut work = Work::new(host.sources(), answers, Arc::clone(&counts));
    for n in 0..REMEMBERED + 10 {
        work.remember(&n.to_string(), &Arc::default());
    }
    assert_eq!((work.known.len(), work.order.len()), (REMEMBERED, REMEMBERED));
    assert_eq!(counts.read().evicted, 10);
    work.forget("12");
    work.forget("12");
    assert_eq!((work.known.len(), work.order.len()), (REMEMBERED - 1, REMEMBERED - 1));
    let heavy = ContainerFacts { name: Some("x".repeat(HELD / 3)), ..ContainerFacts::default() };
    let heavy = Arc::new(heavy);
    for id in ["a", "b", "c", "c"] {
        work.remember(id, &heavy);
    }
    assert_eq!((work.known.len(), work.order.len()), (2, 2));
    assert_eq!(work.held, 2 * heavy.weight());
    // Answers that nobody takes are counted.
    for _ in 0..3 {
        work.answer_at_once("..", None);
    }
    assert_eq!(counts.read().answers_lost, 2);
}

#[test]
fn a_full_queue_refuses() {
    let host = Host::new();
    let (lookup, _inbox) = Lookup::start(host.sources()).expect("a thread");
    let sent = (0..20_000).filter(|n| lookup.request(&format!("{n:064x}"), None, None)).count();
    let counts = lookup.counts();
    assert!(sent < 20_000, "{counts:?}");
    assert_eq!(counts.refused, 20_000 - sent as u64);
    // Nor does what waits hold up the end.
    let begin = Instant::now();
    drop(lookup);
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_root_that_is_not_there_answers_none() {
    let missing = Sources::under(std::path::Path::new("/nonexistent"));
    let (lookup, inbox) = Lookup::start(missing).expect("a thread");
    assert_eq!(answers(&lookup, &inbox, DOCKER_WEB, None)[0].facts, None);
}

#[test]
fn dropping_ends_it_while_a_runtime_is_silent() {
    let host = Host::new();
    let _server = Server::start(&host.path("run/docker.sock"), Script::Silence);
    let (lookup, inbox) = Lookup::start(host.sources()).expect("a thread");
    assert!(lookup.request(DOCKER_WEB, None, None));
    std::thread::sleep(Duration::from_millis(50));
    let begin = Instant::now();
    drop(lookup);
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(inbox.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}
