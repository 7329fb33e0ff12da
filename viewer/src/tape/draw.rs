//! The panels of a machine.

use super::names::{number, written};
use super::{Run, TapeScene, choice, letter, token_name};
use crate::board::{activation_legend, activation_title, attention_legend};
use crate::line::{Table, lens, percent};
use crate::palette::{Palette, Ramp, Rgb, mix};
use crate::scene::{Drawing, Drawn, Legend, Raster, Seen};

impl TapeScene {
    /// A run down to the step that is shown; what is yet to come stays empty.
    fn diagram(&self, run: &Run, seen: &Seen<'_>, title: String) -> Drawing {
        let (window, palette) = (self.window(seen.step), seen.palette);
        let symbols = self.symbols() as u8;
        let cell = |place: usize| -> Rgb {
            let row = window.row + place as u32 / window.width;
            let at = self.position(window.column + place as u32 % window.width);
            let Some(symbol) = run.symbol(row, at).filter(|_| row <= seen.step) else { return palette.ground };
            let shade = palette.state(symbol, symbols);
            match (run.head(row), run.rows.get(row as usize)) {
                (Some(head), Some(cells)) if head == at => {
                    mix(Palette::hidden(self.names.shown(cells.state)), shade, 0.22)
                }
                _ => shade,
            }
        };
        let rows = window.row..window.row + window.height;
        let head = |row: u32| {
            let column = u32::try_from(run.head(row)? - self.frame.0).ok()?;
            let state = run.rows.get(row as usize)?.state;
            Some(((column, row), letter(self.names.shown(state))))
        };
        let mut keys: Vec<(Rgb, String)> = (0..symbols).map(|s| (palette.state(s, symbols), s.to_string())).collect();
        keys.extend((0..self.states() as u8).map(|name| (Palette::hidden(name), format!("head in {}", letter(name)))));
        Drawing {
            words: rows.clone().filter(|&row| row <= seen.step).filter_map(head).collect(),
            rows: rows.map(|row| row.to_string()).collect(),
            changed: if seen.overlays.changed { self.changed(seen.step) } else { Vec::new() },
            rule: self.moment().map(|fork| (fork + 1, self.fork_name(fork))),
            legend: Legend::Keys(keys),
            ..Drawing::new(title, Ok(Raster::paint(window.width, window.height, cell)))
        }
    }

    fn fork_name(&self, fork: u32) -> String {
        let entry = self.own.episode.steps.get(fork as usize).map_or_else(String::new, |step| {
            format!("{}{} fires", letter(self.names.shown(step.state)), step.token.read)
        });
        format!("fork at step {fork}: {entry}")
    }

    pub(super) fn draw_tape(&self, seen: &Seen<'_>) -> Drawing {
        self.diagram(&self.own, seen, format!("Tape · {}", self.names.text(&self.own.machine)))
    }

    pub(super) fn draw_twin(&self, seen: &Seen<'_>) -> Drawing {
        match &self.twin {
            Some(twin) => {
                let title = format!("{} · {}", twin.caption, self.names.text(&twin.run.machine));
                let mut drawing = self.diagram(&twin.run, seen, title);
                if twin.fork.is_none() {
                    drawing.note = Some(("never parts from it".into(), true));
                }
                drawing
            }
            None => {
                let why = "rewrite an entry: click in the table, or choose one under Reach in and press Enter";
                Drawing::new("Twin", Err(why.into()))
            }
        }
    }

    /// The posterior of every entry, the true one framed.
    pub(super) fn draw_table(&self, seen: &Seen<'_>) -> Drawing {
        let (states, symbols) = (self.states(), self.symbols());
        let choices = 2 * states * symbols;
        let known = match &self.evidence.class {
            Ok(class) => class.get(seen.step as usize).or(class.last()),
            Err(reason) => return Drawing::new("Transition table", Err(reason.clone())),
        };
        let Some(known) = known else { return Drawing::new("Transition table", Err("no step was made".into())) };
        let chance = |cell: usize| known.entries.get(cell).copied().unwrap_or(0.0);
        let raster = Raster::paint(choices as u32, (states * symbols) as u32, |cell| {
            seen.palette.ramp(Ramp::Magnitude, chance(cell) as f32)
        });
        let cell = |place: usize| ((place % choices) as u32, (place / choices) as u32);
        let truth = self.names.table(&self.own.machine).into_iter().enumerate();
        let framed = truth.filter_map(|(entry, it)| Some((number(it?, states)? as u32, entry as u32))).collect();
        let twin = self.twin.as_ref().map(|twin| self.names.table(&twin.run.machine)).unwrap_or_default();
        let own = self.names.table(&self.own.machine);
        let other = twin.into_iter().enumerate().filter(|(entry, it)| own.get(*entry) != Some(it));
        let changed = other.filter_map(|(entry, it)| Some((number(it?, states)? as u32, entry as u32))).collect();
        let used = self.own.episode.steps.get(seen.step as usize);
        let row = |entry: usize| {
            let (name, symbol) = ((entry / symbols) as u8, (entry % symbols) as u8);
            let now = used.is_some_and(|step| (self.names.shown(step.state), step.token.read) == (name, symbol));
            format!("{}{}{symbol}", if now { "▶ " } else { "" }, letter(name))
        };
        let sure = known.entries.chunks_exact(choices).filter(|entry| entry.iter().any(|&c| c > 1.0 - 1e-9)).count();
        let tables = if known.tables == 1 { "1 table fits".into() } else { format!("{} tables fit", known.tables) };
        Drawing {
            note: Some((format!("{sure} of {} entries certain · {tables}", states * symbols), false)),
            framed,
            changed,
            words: (0..choices * states * symbols)
                .map(|place| (cell(place), percent(chance(place))))
                .filter(|(_, text)| !text.is_empty())
                .collect(),
            rows: (0..states * symbols).map(row).collect(),
            columns: (0..choices).map(|code| written(choice(code, states))).collect(),
            legend: Legend::Scale(
                Ramp::Magnitude,
                ["0".into(), "1 posterior · framed: true · ▶: used next · dot: the twin's".into()],
            ),
            ..Drawing::new("Transition table, Bayes over the class", Ok(raster))
        }
    }

    /// What probes of the chosen tap say of every entry, the true one framed.
    pub(super) fn draw_probe(&self, seen: &Seen<'_>) -> Drawing {
        let title = "Transition table, read by probes";
        let readings = match seen.entries {
            Ok(readings) => readings,
            Err(reason) => return Drawing::new(title, Err(reason.into())),
        };
        let (states, symbols) = (self.states(), self.symbols());
        let choices = 2 * states * symbols;
        let columns: Vec<String> = (0..choices).map(|code| written(choice(code, states))).collect();
        let rows: Vec<String> = (0..states * symbols)
            .map(|entry| format!("{}{}", letter((entry / symbols) as u8), entry % symbols))
            .collect();
        let said = |cell: usize| {
            let reading = readings.iter().find(|reading| reading.entry == rows[cell / choices])?;
            let (_, chance) = reading.chances.iter().find(|(name, _)| *name == columns[cell % choices])?;
            Some(f64::from(*chance))
        };
        let raster = Raster::paint(choices as u32, rows.len() as u32, |cell| match said(cell) {
            Some(chance) => seen.palette.ramp(Ramp::Magnitude, chance as f32),
            None => seen.palette.panel,
        });
        let place = |cell: usize| ((cell % choices) as u32, (cell / choices) as u32);
        let truth = self.names.table(&self.own.machine).into_iter().enumerate();
        let scores: Vec<f64> = readings.iter().filter_map(|reading| reading.accuracy).collect();
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        Drawing {
            note: (!scores.is_empty()).then(|| (format!("balanced accuracy {mean:.2}"), false)),
            framed: truth.filter_map(|(entry, it)| Some((number(it?, states)? as u32, entry as u32))).collect(),
            words: (0..choices * rows.len())
                .filter_map(|cell| Some((place(cell), percent(said(cell)?))))
                .filter(|(_, text)| !text.is_empty())
                .collect(),
            rows,
            columns,
            legend: Legend::Scale(
                Ramp::Magnitude,
                ["0".into(), "1 probability · framed: true · blank: no probe".into()],
            ),
            ..Drawing::new(title, Ok(raster))
        }
    }

    /// What the model and exact references expect next; what comes is framed, and what the twin does until they part
    /// has a dot.
    pub(super) fn draw_next(&self, seen: &Seen<'_>) -> Drawing {
        let step = seen.step as usize;
        let known = self.evidence.class.as_ref().ok().and_then(|class| class.get(step));
        let memory = self.evidence.memory.as_ref().and_then(|all| all.get(step));
        let twin = self.twin.as_ref().filter(|twin| twin.fork.is_some_and(|fork| seen.step <= fork));
        let other = twin.and_then(|twin| twin.run.episode.steps.get(step));
        let mut table = Table {
            title: format!("Step {step}: what is expected"),
            names: self.token_names(),
            rows: Vec::new(),
            truth: self.tokens.get(step).map(|&token| token as u32),
            other: other.map(|step| step.token.index(self.symbols()) as u32),
        };
        table.push_model(seen);
        table.push("Bayes, class", known.map(|known| known.next.clone()));
        if let Some(next) = memory {
            table.rows.push((if next.is_some() { "Bayes, seen" } else { "seen: none" }.into(), next.clone()));
        }
        table.draw(seen.palette, seen.belief.err().unwrap_or("no step was made"))
    }

    fn token_names(&self) -> Vec<String> {
        (0..self.targets()).map(|token| token_name(token, self.symbols())).collect()
    }

    /// One value a step, over the tape.
    fn over_tape(&self, seen: &Seen<'_>, shade: impl Fn(u32) -> Rgb) -> Raster {
        let (window, palette) = (self.window(seen.step), seen.palette);
        Raster::paint(window.width, window.height, |place| {
            let row = window.row + place as u32 / window.width;
            let at = self.position(window.column + place as u32 % window.width);
            match self.own.symbol(row, at) {
                _ if row > seen.step => palette.ground,
                Some(symbol) if symbol > 0 => mix(shade(row), palette.live, 0.45),
                _ => shade(row),
            }
        })
    }

    fn over_steps(&self, seen: &Seen<'_>, title: &str, raster: Result<Raster, String>, legend: Legend) -> Drawing {
        let window = self.window(seen.step);
        let rows = (window.row..window.row + window.height).map(|row| row.to_string()).collect();
        Drawing { rows, legend, ..Drawing::new(title, raster) }
    }

    pub(super) fn draw_activation(&self, seen: &Seen<'_>) -> Drawing {
        let raster = seen.activation.map_err(str::to_string).map(|(values, end)| {
            self.over_tape(seen, |row| {
                let share = values.get(row as usize).copied().unwrap_or(0.0) / end;
                if seen.signed { seen.palette.signed(share) } else { Palette::magnitude(share) }
            })
        });
        self.over_steps(seen, &activation_title(seen, "Activation at each step"), raster, activation_legend(seen))
    }

    /// Attention from the chosen cell's step to those before it.
    pub(super) fn draw_attention(&self, seen: &Seen<'_>) -> Drawing {
        let raster = seen.attention.map_err(str::to_string).map(|(weights, end, _)| {
            self.over_tape(seen, |row| Palette::magnitude(weights.get(row as usize).copied().unwrap_or(0.0) / end))
        });
        self.over_steps(seen, "Attention from the chosen step", raster, attention_legend(seen))
    }

    /// What the model would say were the chosen tap its last, beside what it says.
    pub(super) fn draw_lens(&self, seen: &Seen<'_>) -> Drawing {
        let truth = self.tokens.get(seen.step as usize).map(|&token| token as u32);
        lens(seen, self.token_names(), truth)
    }
}
