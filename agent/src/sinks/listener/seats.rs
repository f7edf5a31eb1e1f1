//! Places for clients. When all are taken, who has said nothing for longest gives its place
//! to the next one, so that those who only hold connections keep nobody out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How often a full house is looked over.
const LOOK: Duration = Duration::from_millis(50);

/// All places.
#[derive(Debug)]
pub(super) struct Seats {
    places: Arc<Semaphore>,
    taken: Mutex<Vec<Arc<Seat>>>,
    /// Who has been silent for less keeps its place.
    silent: Duration,
}

/// One client's place.
#[derive(Debug)]
pub(super) struct Seat {
    /// Since when nothing is asked; `None` while a request is answered.
    silent_since: Mutex<Option<Instant>>,
    has_asked: AtomicBool,
    leave: Notify,
}

/// A place as long as it is kept.
#[derive(Debug)]
pub(super) struct Taken {
    seats: Arc<Seats>,
    seat: Arc<Seat>,
    _permit: OwnedSemaphorePermit,
}

impl Seats {
    pub(super) fn new(places: usize, silent: Duration) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(places));
        Arc::new(Self { places, taken: Mutex::default(), silent })
    }

    /// Waits for a place.
    pub(super) async fn take(self: &Arc<Self>) -> Taken {
        let permit = loop {
            let place = Arc::clone(&self.places).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK, place).await {
                break permit;
            }
            self.displace();
        };
        let seat = Arc::new(Seat {
            silent_since: Mutex::new(Some(Instant::now())),
            has_asked: AtomicBool::new(false),
            leave: Notify::new(),
        });
        self.lock().push(Arc::clone(&seat));
        Taken { seats: Arc::clone(self), seat, _permit: permit }
    }

    /// Asks who has been silent for longest to leave, if that is long enough.
    fn displace(&self) {
        let taken = self.lock();
        let silent = taken.iter().filter_map(|seat| Some((seat.silent_for()?, seat)));
        if let Some((silent, seat)) = silent.max_by_key(|(silent, _)| *silent)
            && silent >= self.silent
        {
            seat.leave.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.silent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn silent_for(&self) -> Option<Duration> {
        self.lock().map(|since| since.elapsed())
    }

    /// A request begins.
    pub(super) fn asked(&self) {
        self.has_asked.store(true, Ordering::Relaxed);
        *self.lock() = None;
    }

    /// Its answer is there.
    pub(super) fn answered(&self) {
        *self.lock() = Some(Instant::now());
    }

    /// Whether it has sent a whole request.
    pub(super) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Returns when another one is to have the place.
    pub(super) async fn displaced(&self) {
        self.leave.notified().await;
    }
}

impl Taken {
    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.lock().retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}
