//! Pictures of boards of cells: PNG, and GIF for a sequence.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, bail};

/// The longest side of a picture in pixels.
const LARGEST: u32 = 8192;
/// The longest side up to which cells are drawn larger than a pixel.
const COMFORTABLE: u32 = 960;
/// The most pixels in all frames of a moving picture.
const MOST_PIXELS: u64 = 400_000_000;

/// A rectangle of cells, row by row; 0 is empty, 1 live, higher states fade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width × height` states.
    pub cells: Vec<u8>,
}

impl Board {
    /// An empty board.
    ///
    /// # Errors
    /// If it is too large to draw.
    pub fn new(width: u32, height: u32) -> anyhow::Result<Self> {
        let (width, height) = (width.max(1), height.max(1));
        if width.max(height) > LARGEST {
            bail!("a picture of {width} × {height} cells is larger than {LARGEST} pixels; nothing was drawn");
        }
        Ok(Self { width, height, cells: vec![0; width as usize * height as usize] })
    }

    /// Sets a cell, if it is on the board.
    pub fn set(&mut self, x: i64, y: i64, state: u8) {
        if (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y) {
            self.cells[y as usize * self.width as usize + x as usize] = state;
        }
    }

    fn scale(&self) -> u32 {
        (COMFORTABLE / self.width.max(self.height)).clamp(1, 16)
    }

    /// Palette indices, cells enlarged.
    fn pixels(&self, scale: u32) -> Vec<u8> {
        let (width, scale) = (self.width as usize, scale as usize);
        let mut pixels = Vec::with_capacity(self.cells.len() * scale * scale);
        for row in self.cells.chunks_exact(width) {
            let line: Vec<u8> = row.iter().flat_map(|&state| std::iter::repeat_n(state, scale)).collect();
            (0..scale).for_each(|_| pixels.extend_from_slice(&line));
        }
        pixels
    }
}

/// The colours of the states: dark ground, light live cells, dying states from orange to dark red.
fn palette() -> Vec<u8> {
    let colour = |state: u32| match state {
        0 => [16, 18, 28],
        1 => [240, 240, 230],
        _ => {
            let fade = 255 - (state - 2).min(9) * 22;
            [fade as u8, (fade / 3) as u8, 40]
        }
    };
    (0..256).flat_map(colour).collect()
}

/// Writes a board as PNG.
///
/// # Errors
/// If the file cannot be written.
pub fn png(path: &Path, board: &Board) -> anyhow::Result<()> {
    let scale = board.scale();
    let palette = palette();
    let colours = |state: u8| [0, 1, 2].map(|channel| palette[3 * usize::from(state) + channel]);
    let pixels: Vec<u8> = board.pixels(scale).into_iter().flat_map(colours).collect();
    image::save_buffer_with_format(
        path,
        &pixels,
        board.width * scale,
        board.height * scale,
        image::ExtendedColorType::Rgb8,
        image::ImageFormat::Png,
    )
    .with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes boards of one size as a GIF that runs for ever.
///
/// # Errors
/// If there is nothing to draw, too much, or the file cannot be written.
pub fn gif(path: &Path, boards: &[Board], hundredths: u16) -> anyhow::Result<()> {
    let Some(first) = boards.first() else { bail!("nothing to draw in {}", path.display()) };
    let scale = first.scale();
    let (width, height) = (first.width * scale, first.height * scale);
    if u64::from(width) * u64::from(height) * boards.len() as u64 > MOST_PIXELS {
        bail!("{} frames of {width} × {height} pixels are too many; nothing was drawn", boards.len());
    }
    let context = || format!("{} cannot be written", path.display());
    let file = BufWriter::new(File::create(path).with_context(context)?);
    let mut encoder = gif::Encoder::new(file, width as u16, height as u16, &palette()).with_context(context)?;
    encoder.set_repeat(gif::Repeat::Infinite).with_context(context)?;
    for board in boards {
        let mut frame = gif::Frame::from_indexed_pixels(width as u16, height as u16, board.pixels(scale), None);
        frame.delay = hundredths;
        encoder.write_frame(&frame).with_context(context)?;
    }
    Ok(())
}
