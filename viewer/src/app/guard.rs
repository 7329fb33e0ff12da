//! What goes wrong inside the graphics libraries, which panic, as one sentence.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;

/// Said where nothing can draw.
pub const NO_ADAPTER: &str = "no graphics adapter was found: install a Vulkan driver, or Mesa's software renderer \
                              (Debian, Ubuntu: mesa-vulkan-drivers)";

/// Runs something; a panic in it becomes an error of one sentence, and no backtrace is printed.
pub fn guarded<T>(work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let first: Arc<Mutex<Option<String>>> = Arc::default();
    let seen = first.clone();
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or("unknown").to_string();
        let place = panic.location().map_or_else(String::new, |place| format!(" ({}:{})", place.file(), place.line()));
        // The first panic is the cause; what panics after it only finds threads gone.
        seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text + &place);
    }));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    set_hook(before);
    outcome.map_err(|_| {
        let text = first.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        explain(&text)
    })
}

fn explain(panic: &str) -> anyhow::Error {
    if panic.contains("Unable to find a GPU") {
        return anyhow!(NO_ADAPTER);
    }
    if ["event loop", "EventLoop", "DISPLAY", "XOpenDisplay"].iter().any(|part| panic.contains(part)) {
        return anyhow!("no display was found to open a window on; --headless --screenshot FILE.png draws without one");
    }
    let line = panic.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    anyhow!("drawing failed: {line}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_panic_is_one_sentence() {
        assert_eq!(guarded(|| 3).unwrap(), 3);
        let message = |text: &str| explain(text).to_string();
        assert_eq!(message("Unable to find a GPU! Make sure …"), NO_ADAPTER);
        assert!(message("Failed to build event loop: Os(…)").contains("--headless"));
        assert_eq!(message("one\n  two"), "drawing failed: one two");
    }
}
