//! How far is a run? A line on the terminal that is rewritten, when somebody watches it and no text is in its way.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use crate::display::say;

/// How often the line is rewritten at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// The progress of one run.
pub(crate) struct Progress {
    is_shown: bool,
    is_dirty: bool,
    n_tokens: usize,
    max_tokens: usize,
    last: Instant,
}

impl Progress {
    /// A line is shown when standard error is a terminal, and standard output is not the same one.
    pub(crate) fn new(max_tokens: usize) -> Progress {
        let is_shown = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        Progress { is_shown, is_dirty: false, n_tokens: 0, max_tokens, last: Instant::now() }
    }

    /// Some tokens were written.
    pub(crate) fn advance(&mut self, n_tokens: usize) {
        self.n_tokens += n_tokens;
        if self.is_shown && self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            self.is_dirty = true;
            say(&format!("\r{} tokens of at most {}", self.n_tokens, self.max_tokens));
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.is_dirty {
            say("\r\x1b[K");
            self.is_dirty = false;
        }
    }
}
