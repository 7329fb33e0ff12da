//! Pictures of boards of cells: PNG, and GIF for a sequence.

use std::fs::File;
use std::io::{BufWriter, Write};
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
    let palette = palette();
    let colours = |&state: &u8| [0, 1, 2].map(|channel| palette[3 * usize::from(state) + channel]);
    save(path, board.width, board.scale(), &board.cells.iter().map(colours).collect::<Vec<_>>())
}

/// Writes values as PNG, `width` a row: white at 0, blue above and orange below it, in full colour from `full` on;
/// grey where there is no value. (Blue and vermillion of Okabe and Ito's palette, told apart by the colour-blind.)
///
/// # Errors
/// If the picture is too large or the file cannot be written.
pub fn heat(path: &Path, width: u32, values: &[Option<f64>], full: f64) -> anyhow::Result<()> {
    const GREY: [u8; 3] = [150, 150, 150];
    const ABOVE: [f64; 3] = [0.0, 80.0, 150.0];
    const BELOW: [f64; 3] = [213.0, 94.0, 0.0];
    let colour = |value: &Option<f64>| {
        let Some(value) = value else { return GREY };
        let (end, share) = (if *value > 0.0 { ABOVE } else { BELOW }, (value.abs() / full).min(1.0));
        end.map(|channel| (255.0 + share * (channel - 255.0)).round() as u8)
    };
    coloured(path, width, &values.iter().map(colour).collect::<Vec<_>>())
}

/// Writes cells as PNG in colours (red, green, blue) of their own, `width` a row.
///
/// # Errors
/// If the picture is too large or the file cannot be written.
pub fn coloured(path: &Path, width: u32, cells: &[[u8; 3]]) -> anyhow::Result<()> {
    let board = Board::new(width, (cells.len() / width.max(1) as usize) as u32)?;
    save(path, board.width, board.scale(), cells)
}

/// Writes coloured cells as PNG, each `scale` pixels wide.
fn save(path: &Path, width: u32, scale: u32, cells: &[[u8; 3]]) -> anyhow::Result<()> {
    let height = cells.len() as u32 / width;
    let pixels: Vec<u8> = cells
        .chunks_exact(width as usize)
        .flat_map(|row| std::iter::repeat_n(row, scale as usize))
        .flat_map(|row| row.iter().flat_map(|cell| std::iter::repeat_n(*cell, scale as usize)).flatten())
        .collect();
    let (width, height) = (width * scale, height * scale);
    whole(path, |aside| {
        let (kind, format) = (image::ExtendedColorType::Rgb8, image::ImageFormat::Png);
        Ok(image::save_buffer_with_format(aside, &pixels, width, height, kind, format)?)
    })
}

/// Writes a file aside and renames it, so that there is the whole of it or nothing.
fn whole(path: &Path, write: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    let aside = Path::new(&aside);
    let written = write(aside).and_then(|()| Ok(std::fs::rename(aside, path)?));
    if written.is_err() {
        let _ = std::fs::remove_file(aside);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// Refuses a moving picture that would be too much to draw, before any of it is made.
///
/// # Errors
/// If the frames, of `width × height` cells, are too large or too many.
pub fn check_film(width: u32, height: u32, frames: u64) -> anyhow::Result<()> {
    let board = Board { width: width.max(1), height: height.max(1), cells: Vec::new() };
    let (longest, scale) = (board.width.max(board.height), board.scale());
    if longest > LARGEST {
        bail!("a picture of {width} × {height} cells is larger than {LARGEST} pixels; nothing was drawn");
    }
    let (width, height) = (u64::from(board.width * scale), u64::from(board.height * scale));
    if width * height * frames > MOST_PIXELS {
        bail!("{frames} frames of {width} × {height} pixels are too many; nothing was drawn");
    }
    Ok(())
}

/// Writes boards of one size as a GIF that runs for ever.
///
/// # Errors
/// If there is nothing to draw, too much, or the file cannot be written.
pub fn gif(path: &Path, boards: &[Board], hundredths: u16) -> anyhow::Result<()> {
    let Some(first) = boards.first() else { bail!("nothing to draw in {}", path.display()) };
    check_film(first.width, first.height, boards.len() as u64)?;
    let scale = first.scale();
    let (width, height) = ((first.width * scale) as u16, (first.height * scale) as u16);
    whole(path, |aside| {
        let mut encoder = gif::Encoder::new(BufWriter::new(File::create(aside)?), width, height, &palette())?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for board in boards {
            let mut frame = gif::Frame::from_indexed_pixels(width, height, board.pixels(scale), None);
            frame.delay = hundredths;
            encoder.write_frame(&frame)?;
        }
        // The encoder's own end, with its errors: dropping it would lose them.
        Ok(encoder.into_inner()?.flush()?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pictures_show_their_cells_and_are_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = Board::new(3, 2).unwrap();
        board.set(1, 0, 1);
        let path = folder.path().join("a.png");
        png(&path, &board).unwrap();
        let image = image::open(&path).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (48, 32));
        assert_eq!((image.get_pixel(16, 0).0, image.get_pixel(0, 16).0), ([240, 240, 230], [16, 18, 28]));
        heat(&path, 2, &[None, Some(0.0), Some(5.0), Some(-0.5)], 1.0).unwrap();
        let image = image::open(&path).unwrap().to_rgb8();
        let colours = [(0, 0), (16, 0), (0, 16), (16, 16)].map(|(x, y)| image.get_pixel(x, y).0);
        assert_eq!(colours, [[150; 3], [255; 3], [0, 80, 150], [234, 175, 128]]);
        let path = folder.path().join("a.gif");
        gif(&path, &[board.clone(), board.clone()], 5).unwrap();
        let mut film = gif::Decoder::new(File::open(&path).unwrap()).unwrap();
        let mut frames = 0;
        while let Some(frame) = film.read_next_frame().unwrap() {
            assert_eq!((frame.width, frame.height, frame.buffer[16]), (48, 32, 1));
            frames += 1;
        }
        assert_eq!(frames, 2);
        assert!(gif(&folder.path().join("none/a.gif"), &[board], 5).unwrap_err().to_string().contains("none/a.gif"));
        assert!(check_film(9000, 1, 1).is_err() && check_film(8000, 8000, 10).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
