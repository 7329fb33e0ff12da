//! Pictures that follow each other as an animated GIF.

use std::io::Write;

use anyhow::anyhow;
use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::RgbImage;

/// How carefully colours are chosen where there are more than 256: from 1, the best, to 30.
const CARE: i32 = 10;

/// A GIF that is being written; it plays for ever.
pub struct Film<W: Write> {
    encoder: Encoder<W>,
    /// Hundredths of a second a picture.
    delay: u16,
    last: Option<RgbImage>,
}

impl<W: Write> Film<W> {
    /// Begins a film of pictures of a size in pixels, at some pictures a second.
    ///
    /// # Errors
    /// If the sides are longer than a GIF's can be, or nothing can be written.
    pub fn begin(writer: W, (width, height): (u32, u32), speed: f32) -> anyhow::Result<Self> {
        let side = |length: u32| u16::try_from(length).map_err(|_| anyhow!("a GIF has sides of at most 65535 pixels"));
        let mut encoder = Encoder::new(writer, side(width)?, side(height)?, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        // Viewers take delays below 2 for no delay and slow down.
        let delay = (100.0 / speed.max(0.01)).round().clamp(2.0, 6000.0) as u16;
        Ok(Self { encoder, delay, last: None })
    }

    /// Adds a picture. Only what has changed since the last one is written.
    ///
    /// # Errors
    /// If nothing can be written, or the picture is of another size than the first.
    pub fn push(&mut self, picture: RgbImage) -> anyhow::Result<()> {
        if self.last.as_ref().is_some_and(|last| last.dimensions() != picture.dimensions()) {
            return Err(anyhow!("the pictures of a film must be of one size"));
        }
        let (left, top, width, height) = match &self.last {
            Some(last) => changed(last, &picture),
            None => (0, 0, picture.width(), picture.height()),
        };
        let part = image::imageops::crop_imm(&picture, left, top, width, height).to_image();
        let mut frame = Frame::from_rgb_speed(width as u16, height as u16, part.as_raw(), CARE);
        (frame.left, frame.top, frame.delay) = (left as u16, top as u16, self.delay);
        frame.dispose = DisposalMethod::Keep;
        self.encoder.write_frame(&frame)?;
        self.last = Some(picture);
        Ok(())
    }
}

/// The smallest rectangle of all changes: left, top, width, height. One pixel where nothing has changed, since a picture
/// still takes its time.
fn changed(before: &RgbImage, after: &RgbImage) -> (u32, u32, u32, u32) {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in after.enumerate_pixels().filter(|(x, y, pixel)| before.get_pixel(*x, *y) != *pixel) {
        let _ = pixel;
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
    }
    if left < right { (left, top, right - left, bottom - top) } else { (0, 0, 1, 1) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::Rgb;

    use super::*;

    #[test]
    fn a_film_shows_its_pictures() {
        let ground = RgbImage::from_pixel(20, 10, Rgb([10, 20, 30]));
        let mut moved = ground.clone();
        moved.put_pixel(7, 4, Rgb([250, 200, 0]));
        moved.put_pixel(9, 5, Rgb([0, 200, 250]));
        let pictures = [ground.clone(), moved, ground.clone(), ground];
        let mut bytes = Vec::new();
        let mut film = Film::begin(&mut bytes, (20, 10), 4.0).unwrap();
        for picture in &pictures {
            film.push(picture.clone()).unwrap();
        }
        assert!(film.push(RgbImage::new(3, 3)).is_err());
        drop(film);
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes.as_slice()).unwrap();
        let mut canvas = RgbImage::new(20, 10);
        for picture in &pictures {
            let frame = decoder.read_next_frame().unwrap().unwrap();
            assert_eq!(frame.delay, 25);
            for (place, pixel) in frame.buffer.chunks_exact(4).enumerate() {
                let (x, y) = (place as u32 % u32::from(frame.width), place as u32 / u32::from(frame.width));
                let at = (u32::from(frame.left) + x, u32::from(frame.top) + y);
                canvas.put_pixel(at.0, at.1, Rgb([pixel[0], pixel[1], pixel[2]]));
            }
            assert_eq!(&canvas, picture);
        }
        assert!(decoder.read_next_frame().unwrap().is_none());
        assert_eq!(changed(&pictures[0], &pictures[1]), (7, 4, 3, 2));
    }
}
