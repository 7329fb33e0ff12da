//! A real window on a virtual display: keys are pressed, the pointer clicks, and what is on the screen is compared with
//! what is drawn without a window.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use environments::Edit;
use image::RgbImage;
use viewer::app::NO_ADAPTER;
use viewer::palette::{Palette, Theme};
use viewer::view::{Tool, View};

use crate::made_up::Run;
use crate::pictures::{bare, bounds, picture};

const SIZE: (u32, u32) = (900, 640);
const PATIENCE: Duration = Duration::from_secs(90);

/// A process that ends with the test.
struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A virtual display and its name, or nothing where there is no Xvfb.
fn display() -> Option<(Held, String)> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1000x700x24", "-nolisten", "tcp"]);
    let server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut server = match server {
        Ok(server) => Held(server),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("Xvfb is there and cannot be started: {error}"),
    };
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
    assert!(!number.trim().is_empty(), "Xvfb has not said which display it serves");
    Some((server, format!(":{}", number.trim())))
}

struct Window {
    process: Held,
    display: String,
    folder: PathBuf,
}

impl Window {
    fn tell(&self, arguments: &[&str]) -> bool {
        let output = Command::new("xdotool").env("DISPLAY", &self.display).args(arguments).output().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        output.status.success()
    }

    /// Waits for something; panics with what the window said where it does not come or the window is gone.
    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if let Some(status) = self.process.0.try_wait().unwrap() {
                let mut said = String::new();
                self.process.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the window ended with {status} before {what}: {said}");
            }
            assert!(start.elapsed() < PATIENCE, "{what} has not come within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses the key for a picture, and takes it.
    fn picture(&mut self, name: &str) -> RgbImage {
        let file = self.folder.join(name);
        assert!(self.tell(&["key", "F12"]));
        let picture = self.wait(name, |_| image::open(&file).ok()).to_rgb8();
        std::fs::remove_file(file).unwrap();
        picture
    }
}

/// The share of pixels that differ where boards are; bars and the column at the right tell of the moment.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let (width, height) = (SIZE.0 - 270, SIZE.1 - 115);
    let places = (45..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let far = |(x, y): &(u32, u32)| {
        let (a, b) = (a.get_pixel(*x, *y), b.get_pixel(*x, *y));
        a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 12)
    };
    places.clone().filter(far).count() as f64 / places.count() as f64
}

fn view(run: &Run) -> View {
    let view = View { index: 1, step: Some(4), boards: vec!["truth".into()], overlays: bare(), ..View::default() };
    std::fs::write(run.path().join("view.toml"), view.to_toml()).unwrap();
    view
}

fn there_is(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder: PathBuf| Path::new(&folder).join(program).is_file())
}

/// Called from the one test that draws, since drawings share one adapter.
#[allow(clippy::print_stderr)]
pub fn a_window_does_what_keys_and_pointer_say() {
    let Some((_server, display)) = display() else {
        eprintln!(
            "SKIPPED: a window, since Xvfb is not there (Debian, Ubuntu: xvfb); pictures without one were tested"
        );
        return;
    };
    let run = Run::new();
    let view = view(&run);
    let mut command = Command::new(env!("CARGO_BIN_EXE_stance-viewer"));
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    command.arg(run.path()).args(["--device", "cpu", "--size", &size]).current_dir(run.path());
    command.env("DISPLAY", &display).env_remove("WAYLAND_DISPLAY").stderr(Stdio::piped());
    let mut window = Window { process: Held(command.spawn().unwrap()), display, folder: run.path() };
    if !there_is("xdotool") {
        assert!(std::env::var_os("CI").is_none(), "xdotool is needed to press keys (Debian, Ubuntu: xdotool)");
        eprintln!("SKIPPED: keys and clicks, since xdotool is not there; the window must stay open for a while");
        let start = Instant::now();
        window.wait("five seconds", |_| (start.elapsed() > Duration::from_secs(5)).then_some(()));
        return;
    }
    let id = window.wait("the window", |window| {
        let mut search = Command::new("xdotool");
        search.env("DISPLAY", &window.display).args(["search", "--onlyvisible", "--name", "Stance"]);
        let output = String::from_utf8(search.output().unwrap().stdout).unwrap();
        output.lines().next().map(str::to_string)
    });
    assert!(window.tell(&["windowmove", &id, "0", "0"]) && window.tell(&["windowfocus", "--sync", &id]));
    assert!(window.tell(&["mousemove", "--window", &id, "4", "4"]));

    let stem = format!("{}-validation-1", run.path().file_name().unwrap().to_string_lossy().replace('.', "-"));
    let alone = |view: View| picture(run.open(view).unwrap(), SIZE, 1.0).unwrap();
    // A first picture may come before the fonts do.
    window.picture(&format!("{stem}-k4.png"));
    let shown = window.picture(&format!("{stem}-k4.png"));
    let expected = alone(view.clone());
    assert!(difference(&shown, &expected) < 0.005, "{} of the pixels differ", difference(&shown, &expected));

    // A key: one step on.
    assert!(window.tell(&["key", "Right"]));
    let shown = window.picture(&format!("{stem}-k5.png"));
    let stepped = alone(View { step: Some(5), ..view.clone() });
    assert!(difference(&shown, &stepped) < 0.005, "{} of the pixels differ", difference(&shown, &stepped));
    assert!(difference(&stepped, &expected) > 0.005, "a step changes nothing, so that nothing was tested");

    // The board at t in place of the truth, and a cell drawn on it by a click.
    for key in ["1", "2", "r"] {
        assert!(window.tell(&["key", key]));
    }
    let start = View { step: Some(5), boards: vec!["start".into()], tool: Tool::Draw, ..view };
    let before = alone(start.clone());
    let (left, top, width, _) = bounds(&before, &[Palette::of(Theme::Dark).dead]);
    let dead = |cell: (u32, u32)| {
        let side = f64::from(width) / 16.0;
        let place = |from: u32, at: u32| from + ((f64::from(at) + 0.5) * side) as u32;
        (place(left, cell.0), place(top, cell.1))
    };
    let cells = (2..14).flat_map(|row| (2..14).map(move |column| (column, row)));
    let ground = Palette::of(Theme::Dark).dead;
    let cell = cells.into_iter().find(|&cell| before.get_pixel(dead(cell).0, dead(cell).1).0 == ground).unwrap();
    let (x, y) = (dead(cell).0.to_string(), dead(cell).1.to_string());
    assert!(window.tell(&["mousemove", "--window", &id, &x, &y]) && window.tell(&["click", "1"]));
    assert!(window.tell(&["mousemove", "--window", &id, "4", "4"]));
    let shown = window.picture(&format!("{stem}-k5.png"));
    let drawn = alone(View { edits: vec![Edit::Paint { cells: vec![cell], state: 1 }], ..start });
    assert!(difference(&shown, &drawn) < 0.002, "{} of the pixels differ", difference(&shown, &drawn));
    assert!(difference(&before, &drawn) > 0.002, "a cell changes nothing, so that nothing was tested");

    assert!(window.tell(&["key", "ctrl+q"]));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = window.process.0.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "the window does not close");
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut said = String::new();
    window.process.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success() && !said.contains(NO_ADAPTER), "{status}: {said}");
}
