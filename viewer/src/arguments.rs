//! The command line of `stance-viewer`.

use std::path::PathBuf;

use clap::{ArgGroup, Parser};

/// Watch worlds and predictions of a run, and reach in.
#[derive(Clone, Debug, Parser)]
#[command(name = "stance-viewer", version)]
#[command(group = ArgGroup::new("picture").args(["screenshot", "gif", "time"]).multiple(true))]
pub struct Arguments {
    /// A run (runs/NAME or NAME), a checkpoint in one (.safetensors), a config (.toml) or a pattern file (RLE, Life
    /// 1.06, plaintext, macrocell).
    pub path: PathBuf,
    /// A file with what is to be shown; without it, the view that was saved with the run.
    #[arg(long, value_name = "VIEW.toml")]
    pub view: Option<PathBuf>,
    /// A pattern file, or RLE text, to be put down with the tool `drop`.
    #[arg(long, value_name = "FILE|RLE")]
    pub paste: Option<String>,
    /// Another run, or a checkpoint, whose prediction stands beside the first one's; up to four.
    #[arg(long, value_name = "RUN")]
    pub pin: Vec<String>,
    /// Draw without a window, on a GPU or on a software renderer, and end.
    #[arg(long, requires = "picture")]
    pub headless: bool,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE.png", requires = "headless")]
    pub screenshot: Option<PathBuf>,
    /// Where a film of the steps goes, at the view's speed.
    #[arg(long, value_name = "FILE.gif", requires = "headless")]
    pub gif: Option<PathBuf>,
    /// The film's first step.
    #[arg(long, value_name = "STEP", requires = "gif")]
    pub from: Option<u32>,
    /// The film's last step; the last of all where absent.
    #[arg(long, value_name = "STEP", requires = "gif")]
    pub to: Option<u32>,
    /// Draws so many frames, a step each, and says how long they took.
    #[arg(long, value_name = "FRAMES", requires = "headless")]
    pub time: Option<u32>,
    /// Size of the window or picture in points.
    #[arg(long, default_value = "1280x800", value_parser = size)]
    pub size: (u32, u32),
    /// Pixels a point, for pictures; a window takes the screen's own.
    #[arg(long, default_value_t = 1.0, value_parser = density)]
    pub density: f32,
    /// The scale of a config, such as smoke or gpu.
    #[arg(long)]
    pub scale: Option<String>,
    /// Where models run: auto, cpu, flex, ndarray or cuda.
    #[arg(long, default_value = "auto")]
    pub device: String,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides =
        text.split_once(['x', '×']).and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match sides {
        Some((width, height)) if (320..=8192).contains(&width) && (240..=8192).contains(&height) => Ok((width, height)),
        Some(_) => Err("sides are from 320x240 to 8192x8192".into()),
        None => Err("write it as WIDTHxHEIGHT, such as 1280x800".into()),
    }
}

fn density(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(density) if (0.5..=4.0).contains(&density) => Ok(density),
        _ => Err("write a number from 0.5 to 4".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert_eq!(size("1280x800"), Ok((1280, 800)));
        assert!(size("1280").is_err() && size("1x1").is_err() && size("99999x800").is_err());
        assert!(density("2").is_ok() && density("0").is_err() && density("NaN").is_err());
    }
}
