use proptest::prelude::*;

use super::{CaptureError, MAGIC, Preface, Reader, Writer};

fn preface() -> Preface {
    Preface {
        agent: "1.0".to_owned(),
        hostname: "node-1".to_owned(),
        kernel: "6.1".to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        boot_unix_ns: 1,
        started_ns: 2,
    }
}

fn recording(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &preface()).unwrap();
    for message in messages {
        writer.write(message).unwrap();
    }
    writer.finish().unwrap()
}

/// What can be read, and how it ends.
fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), CaptureError>) {
    let mut messages = Vec::new();
    let mut reader = match Reader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return (messages, Err(error)),
    };
    loop {
        match reader.next::<Vec<u8>>() {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, Ok(())),
            Err(error) => return (messages, Err(error)),
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let messages = vec![vec![1; 10], vec![], vec![2; 300_000]];
    let bytes = recording(&messages);
    let (found, end) = read(&bytes);
    assert_eq!(found, messages);
    end.unwrap();
    assert_eq!(Reader::new(bytes.as_slice()).unwrap().preface(), &preface());
    assert!(bytes.len() < 10_000, "it is compressed: {} bytes", bytes.len());
}

#[test]
fn other_files_are_refused() {
    let check = |bytes: &[u8], expected: &str| {
        let error = Reader::new(bytes).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    check(b"", "not a recording of Landlord: it begins with other bytes");
    check(b"#!/bin/sh\necho", "not a recording of Landlord: it begins with other bytes");
    check(
        &[MAGIC.as_slice(), &[9, 0]].concat(),
        "version 9 of the format; this landlord reads version 2",
    );
    check(
        &[MAGIC.as_slice(), &[1]].concat(),
        "cut short after 0 messages: what follows was not written",
    );
    let mut elsewhere = preface();
    elsewhere.architecture = "vax".to_owned();
    let bytes = Writer::new(Vec::new(), &elsewhere).unwrap().finish().unwrap();
    let error = Reader::new(bytes.as_slice()).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("made on vax; "), "{error}");
}

proptest! {
    #[test]
    fn every_cut_is_noticed(lengths in prop::collection::vec(0_usize..2000, 1..8), cut in 1_usize..5000) {
        let messages: Vec<Vec<u8>> = lengths.iter().map(|length| {
            (0..*length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
        }).collect();
        let bytes = recording(&messages);
        let kept = bytes.len() - cut.min(bytes.len());
        let (found, end) = read(&bytes[..kept]);
        prop_assert!(messages.starts_with(&found));
        prop_assert!(end.is_err());
    }

    #[test]
    fn damage_never_panics(at in 0_usize..2000, bit in 0_u32..8) {
        let messages = vec![vec![7; 500], (0..=255).collect()];
        let mut bytes = recording(&messages);
        let place = at % bytes.len();
        bytes[place] ^= 1 << bit;
        let (found, end) = read(&bytes);
        prop_assert!(end.is_err() || found == messages || place < 200);
    }
}
