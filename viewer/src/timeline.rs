//! Where one is in time, and how time goes by.

/// The slowest and the fastest play, in steps a second.
pub const SPEEDS: (f32, f32) = (0.5, 64.0);

/// A position on the steps 0 to `last`, at rest or playing.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    step: u32,
    last: u32,
    playing: bool,
    speed: f32,
    /// Part of a step that has gone by.
    part: f32,
}

impl Timeline {
    /// At rest at the first step.
    pub fn new(last: u32) -> Self {
        Self { step: 0, last, playing: false, speed: 4.0, part: 0.0 }
    }

    /// The step.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The last step.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// Whether it plays.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Steps a second.
    pub fn speed(&self) -> f32 {
        self.speed
    }

    /// Another last step; the position is kept as far as it can be.
    pub fn set_last(&mut self, last: u32) {
        self.last = last;
        self.step = self.step.min(last);
    }

    /// Goes to a step, or to the last where that is beyond it.
    pub fn go_to(&mut self, step: u32) {
        self.step = step.min(self.last);
        self.part = 0.0;
    }

    /// Goes some steps on (or back, where negative), and stops playing.
    pub fn advance(&mut self, steps: i32) {
        self.playing = false;
        self.go_to(self.step.saturating_add_signed(steps));
    }

    /// Plays or pauses. Playing from the last step begins anew.
    pub fn toggle(&mut self) {
        self.set_playing(!self.playing);
    }

    /// Plays or pauses.
    pub fn set_playing(&mut self, playing: bool) {
        self.playing = playing;
        self.part = 0.0;
        if playing && self.step == self.last {
            self.step = 0;
        }
    }

    /// Another speed, in steps a second, within [`SPEEDS`].
    pub fn set_speed(&mut self, speed: f32) {
        self.speed = if speed.is_finite() { speed.clamp(SPEEDS.0, SPEEDS.1) } else { 4.0 };
    }

    /// Time goes by; true if the step has changed. At the end it pauses.
    pub fn tick(&mut self, seconds: f32) -> bool {
        if !self.playing {
            return false;
        }
        self.part += seconds.max(0.0) * self.speed;
        let steps = self.part.floor().min(self.last as f32 + 1.0) as u32;
        self.part -= self.part.floor();
        let before = self.step;
        self.step = self.step.saturating_add(steps).min(self.last);
        self.playing = self.step < self.last;
        before != self.step
    }

    /// Goes to the nearest of some marked steps after (or before) this one; stays where there is none.
    pub fn to_mark(&mut self, marks: &[u32], forwards: bool) {
        let mark = if forwards {
            marks.iter().filter(|&&mark| mark > self.step).min()
        } else {
            marks.iter().filter(|&&mark| mark < self.step).max()
        };
        if let Some(&mark) = mark {
            self.playing = false;
            self.go_to(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepping_stays_between_the_ends() {
        let mut line = Timeline::new(3);
        line.advance(-1);
        assert_eq!(line.step(), 0);
        line.advance(2);
        line.advance(2);
        assert_eq!(line.step(), 3);
        line.go_to(99);
        assert_eq!(line.step(), 3);
        line.set_last(1);
        assert_eq!(line.step(), 1);
    }

    #[test]
    fn playing_keeps_time_whatever_the_frame_rate() {
        for frames in [1, 3, 30, 999] {
            let mut line = Timeline::new(1000);
            line.set_speed(8.0);
            line.toggle();
            for _ in 0..frames {
                line.tick(2.01 / frames as f32);
            }
            assert_eq!(line.step(), 16, "{frames} frames");
        }
    }

    #[test]
    fn playing_ends_at_the_end_and_begins_anew() {
        let mut line = Timeline::new(2);
        line.toggle();
        assert!(line.tick(10.0));
        assert_eq!((line.step(), line.playing()), (2, false));
        line.toggle();
        assert_eq!((line.step(), line.playing()), (0, true));
        line.advance(1);
        assert!(!line.playing(), "stepping by hand pauses");
    }

    #[test]
    fn odd_values_do_no_harm() {
        let mut line = Timeline::new(5);
        line.set_speed(f32::NAN);
        line.toggle();
        line.tick(-1.0);
        line.tick(f32::INFINITY);
        assert!(line.step() <= 5);
        line.set_speed(1e9);
        assert_eq!(line.speed(), SPEEDS.1);
    }

    #[test]
    fn marks_are_found_on_both_sides() {
        let mut line = Timeline::new(32);
        let marks = [1, 2, 4, 8, 16];
        line.go_to(5);
        line.to_mark(&marks, true);
        assert_eq!(line.step(), 8);
        line.to_mark(&marks, false);
        line.to_mark(&marks, false);
        assert_eq!(line.step(), 2);
        line.go_to(20);
        line.to_mark(&marks, true);
        assert_eq!(line.step(), 20);
    }
}
