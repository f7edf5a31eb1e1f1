//! One byte to and fro: nothing but wake-ups and switches.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};

use anyhow::{Context as _, Result, anyhow};
use landlord_tests::truth::Truth;

use crate::amount::Amount;
use crate::gate::Gate;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    amount: Amount,
}

/// Two threads and two pipes; one operation is one round trip.
pub(crate) fn pingpong(args: &Args, gate: Gate) -> Result<Truth> {
    let (ping_out, ping_in) = pipe().context("cannot make a pipe")?;
    let (pong_out, pong_in) = pipe().context("cannot make a pipe")?;
    let watch = gate.pass()?;
    let partner = std::thread::spawn(move || answer(ping_out, pong_in));
    let done = ask(args, ping_in, pong_out)?;
    partner.join().map_err(|_| anyhow!("the partner panicked"))?.context("the partner failed")?;
    watch.stop("pingpong", done)
}

fn ask(args: &Args, mut ping: PipeWriter, mut pong: PipeReader) -> Result<u64> {
    let mut rounds = args.amount.begin()?;
    let mut byte = [0];
    while rounds.more() {
        ping.write_all(&byte).context("cannot ask")?;
        pong.read_exact(&mut byte).context("no answer")?;
    }
    Ok(rounds.done())
}

fn answer(mut ping: PipeReader, mut pong: PipeWriter) -> std::io::Result<()> {
    let mut byte = [0];
    while ping.read(&mut byte)? > 0 {
        pong.write_all(&byte)?;
    }
    Ok(())
}
