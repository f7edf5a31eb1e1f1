//! The terminal: keys and samples in, frames out, and everything put back as it
//! was, whatever ends it.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::draw::{draw, shown_columns};
use super::sampler::Sampler;
use super::theme::Theme;
use super::view::{Effect, View};

/// Signals and samples are noticed within this time.
const TICK: Duration = Duration::from_millis(100);
/// The age of the sample moves on at least this often.
const REDRAW: Duration = Duration::from_millis(500);

/// Puts the terminal back when dropped. A panic does so too, by the hook that
/// ratatui sets.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> Result<Self> {
        if !io::stdout().is_terminal() {
            bail!("standard output is not a terminal; `landlord top --once` prints a table");
        }
        ratatui::try_init().map(Self).context("cannot take over the terminal")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the live table until a key or a signal ends it.
pub(super) fn run(view: &mut View, sampler: &Sampler, theme: Theme) -> Result<()> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).context("cannot catch signals")?;
    }
    let mut screen = Screen::open()?;
    let events = events();
    let mut drawn: Option<Instant> = None;
    while !ended.load(Ordering::Relaxed) {
        let mut changed = take_samples(view, sampler)?;
        match events.recv_timeout(TICK) {
            Ok(event) => {
                changed = true;
                let event = event.context("cannot read the terminal")?;
                if !on_event(&event, view, sampler, &screen.0)? {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("reading keys ended unexpectedly"),
        }
        if changed || drawn.is_none_or(|at| at.elapsed() >= REDRAW) {
            screen.0.draw(|frame| draw(frame, view, theme, now_unix_ms()))?;
            drawn = Some(Instant::now());
        }
    }
    Ok(())
}

/// Keys and changes of size, read by a thread of their own: once the terminal is
/// gone, reading it never returns, and must not keep this program from ending.
fn events() -> Receiver<io::Result<Event>> {
    let (sender, events) = channel();
    thread::spawn(move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if sender.send(event).is_err() || failed {
                return;
            }
        }
    });
    events
}

/// True when something came.
fn take_samples(view: &mut View, sampler: &Sampler) -> Result<bool> {
    let mut came = false;
    loop {
        match sampler.samples.try_recv() {
            Ok(sample) => {
                came = true;
                view.on_sample(sample);
            }
            Err(TryRecvError::Empty) => return Ok(came),
            Err(TryRecvError::Disconnected) => bail!("sampling ended unexpectedly"),
        }
    }
}

/// False when the user leaves.
fn on_event(
    event: &Event,
    view: &mut View,
    sampler: &Sampler,
    terminal: &DefaultTerminal,
) -> Result<bool> {
    let Event::Key(key) = event else {
        // A new size is met by the next frame.
        return Ok(true);
    };
    if key.kind == KeyEventKind::Release {
        return Ok(true);
    }
    let shown = shown_columns(terminal.size()?.width);
    match view.on_key(*key, &shown) {
        Effect::None => {}
        Effect::Quit => return Ok(false),
        Effect::Interval(interval) => sampler.every(interval)?,
    }
    Ok(true)
}

fn now_unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
