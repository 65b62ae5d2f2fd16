//! How long did a step take? By the wall clock, or by it without the time in which the thread had no processor.
//!
//! On a machine that does other work, what takes milliseconds is interrupted nearly always, for milliseconds. The
//! processor's time of the thread knows nothing of that, but reading it is a system call of some 0.3 us, too long for a
//! mask that is known. So both are read, the processor's time outside of the wall clock's, and the smaller one counts. This
//! is right only for engines that do all work in the thread that calls them.

use std::time::{Duration, Instant};

/// Which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The wall clock.
    Wall,
    /// The wall clock, or the thread's time on a processor where that is less. The wall clock where the system has no such.
    Processor,
}

/// The beginning of a step.
#[derive(Debug)]
pub struct Start {
    processor: Option<Duration>,
    wall: Instant,
}

impl Clock {
    /// Begins a step.
    pub fn start(self) -> Start {
        let processor = (self == Clock::Processor).then(thread_time).flatten();
        Start { processor, wall: Instant::now() }
    }
}

impl Start {
    /// Ends it.
    pub fn elapsed_ns(&self) -> u64 {
        let wall = self.wall.elapsed();
        let processor = self.processor.and_then(|start| thread_time()?.checked_sub(start));
        let elapsed = processor.map_or(wall, |processor| processor.min(wall));
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(unix)]
fn thread_time() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
}

#[cfg(not(unix))]
fn thread_time() -> Option<Duration> {
    None
}

/// What measuring nothing takes by the wall clock: the median of many readings. It is part of every time, and not
/// subtracted.
pub fn clock_ns() -> u64 {
    let mut readings: Vec<u64> = (0..10_001).map(|_| Clock::Wall.start().elapsed_ns()).collect();
    readings.sort_unstable();
    readings[readings.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_thread_that_sleeps_takes_no_time() {
        let (wall, processor) = (Clock::Wall.start(), Clock::Processor.start());
        std::thread::sleep(Duration::from_millis(50));
        assert!(processor.elapsed_ns() < 20_000_000);
        assert!(wall.elapsed_ns() >= 50_000_000);
    }
}
