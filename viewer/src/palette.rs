//! Colours that people with any colour vision can tell apart, on dark and on light ground.

use serde::{Deserialize, Serialize};

/// A colour in sRGB.
pub type Rgb = [u8; 3];

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// The colours of boards and of what is drawn over them.
///
/// Orange against blue is the pair that remains apart in every common colour vision deficiency (Okabe & Ito 2008,
/// "Color Universal Design").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Dead cells.
    pub dead: Rgb,
    /// Live cells.
    pub live: Rgb,
    /// Live cells on boards whose subject is something else.
    pub quiet: Rgb,
    /// Predicted live and dead in truth; on the change board: born.
    pub warm: Rgb,
    /// Predicted dead and live in truth; on the change board: dying.
    pub cold: Rgb,
    /// Outlines and names of objects.
    pub object: Rgb,
    /// Countdowns to an object's end.
    pub doom: Rgb,
    /// The chosen cell.
    pub cursor: Rgb,
    /// Lines between cells.
    pub grid: Rgb,
    /// Lines between patches.
    pub patch: Rgb,
    /// Behind boards.
    pub ground: Rgb,
    /// Behind controls.
    pub panel: Rgb,
    /// Text.
    pub text: Rgb,
    /// Text of less weight.
    pub faint: Rgb,
}

/// The colour scale cividis at ten even steps (Nuñez, Anderton & Renslow 2018, "Optimizing colormaps with
/// consideration for color vision deficiency"): lightness rises evenly for every observer.
pub const CIVIDIS: [Rgb; 10] = [
    [0x00, 0x22, 0x4e],
    [0x12, 0x35, 0x70],
    [0x3b, 0x49, 0x6c],
    [0x57, 0x5d, 0x6d],
    [0x70, 0x71, 0x73],
    [0x8a, 0x86, 0x78],
    [0xa5, 0x9c, 0x74],
    [0xc3, 0xb3, 0x69],
    [0xe1, 0xcc, 0x55],
    [0xfe, 0xe8, 0x38],
];

/// A scale of colours over the shares 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ramp {
    /// [`Palette::probability`].
    Probability,
    /// [`Palette::magnitude`].
    Magnitude,
    /// [`Palette::signed`], from -1 to 1.
    Signed,
}

/// Colours of hidden states, apart from each other in every common colour vision deficiency (Okabe & Ito 2008).
const STATES: [Rgb; 8] = [
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xf0, 0xe4, 0x42],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x72, 0xb2],
    [0x99, 0x99, 0x99],
];

impl Palette {
    /// The colour of a hidden state, counted from 0.
    pub fn hidden(state: u8) -> Rgb {
        STATES[usize::from(state) % STATES.len()]
    }

    /// A share from 0 to 1 on a scale.
    pub fn ramp(&self, ramp: Ramp, share: f32) -> Rgb {
        match ramp {
            Ramp::Probability => self.probability(share),
            Ramp::Magnitude => Self::magnitude(share),
            Ramp::Signed => self.signed(2.0 * share - 1.0),
        }
    }

    /// Black or white, whichever is legible on a colour.
    pub fn ink([red, green, blue]: Rgb) -> Rgb {
        // Rec. 601 luma; the middle between black and white text lies a little above half.
        let luma = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
        if luma > 140_000 { [0x10, 0x14, 0x1a] } else { [0xff, 0xff, 0xff] }
    }

    /// The palette of a theme.
    pub fn of(theme: Theme) -> Self {
        match theme {
            Theme::Dark => Self {
                dead: [0x16, 0x1b, 0x24],
                live: [0xf4, 0xf6, 0xf9],
                quiet: [0x62, 0x6c, 0x7c],
                warm: [0xff, 0x8c, 0x1a],
                cold: [0x3d, 0xa5, 0xff],
                object: [0x7f, 0xd8, 0xbe],
                doom: [0xff, 0xc2, 0x4a],
                cursor: [0xff, 0xe0, 0x66],
                grid: [0x1d, 0x23, 0x2d],
                patch: [0x2a, 0x32, 0x3f],
                ground: [0x0c, 0x0f, 0x14],
                panel: [0x14, 0x18, 0x20],
                text: [0xe6, 0xea, 0xf0],
                faint: [0x93, 0x9e, 0xae],
            },
            Theme::Light => Self {
                dead: [0xff, 0xff, 0xff],
                live: [0x1b, 0x22, 0x2e],
                quiet: [0xb4, 0xbb, 0xc6],
                warm: [0xd5, 0x5e, 0x00],
                cold: [0x00, 0x72, 0xb2],
                object: [0x00, 0x7a, 0x5c],
                doom: [0x8f, 0x3f, 0x00],
                cursor: [0xb5, 0x00, 0x7c],
                grid: [0xe8, 0xeb, 0xf0],
                patch: [0xcf, 0xd5, 0xde],
                ground: [0xee, 0xf0, 0xf4],
                panel: [0xf8, 0xf9, 0xfb],
                text: [0x1b, 0x22, 0x2e],
                faint: [0x5c, 0x66, 0x75],
            },
        }
    }

    /// A cell in one of `states` states: 0 dead, the last live, shades between.
    pub fn state(&self, state: u8, states: u8) -> Rgb {
        mix(self.dead, self.live, f32::from(state) / f32::from(states.max(2) - 1))
    }

    /// A cell of an automaton: as [`Palette::state`], but of more than two states 1 is live and the others fade.
    pub fn cell(&self, state: u8, states: u8) -> Rgb {
        match state {
            0 | 1 => self.state(state, 2),
            _ => {
                let share = f32::from(state - 1) / f32::from(states.max(3) - 1);
                mix(mix(self.cold, self.live, 0.15), self.dead, 0.15 + 0.7 * share)
            }
        }
    }

    /// A probability that a cell is live.
    pub fn probability(&self, probability: f32) -> Rgb {
        mix(self.dead, self.live, probability)
    }

    /// How wrong a probability is: towards `warm` where a dead cell is held for live, towards `cold` where a live
    /// cell is held for dead.
    pub fn error(&self, live: bool, probability: f32) -> Rgb {
        if live { mix(self.quiet, self.cold, 1.0 - probability) } else { mix(self.dead, self.warm, probability) }
    }

    /// A change of a cell's value from -1 (live to dead) to 1 (dead to live), over what it was.
    pub fn change(&self, was_live: bool, change: f32) -> Rgb {
        let from = if was_live { self.quiet } else { self.dead };
        mix(from, if change < 0.0 { self.cold } else { self.warm }, change.abs())
    }

    /// A share from 0 to 1 on a scale of even lightness.
    pub fn magnitude(share: f32) -> Rgb {
        let place = share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f32;
        let step = (place as usize).min(CIVIDIS.len() - 2);
        mix(CIVIDIS[step], CIVIDIS[step + 1], place - step as f32)
    }

    /// A share from -1 to 1: `cold` below 0, the ground at 0, `warm` above.
    pub fn signed(&self, share: f32) -> Rgb {
        mix(self.dead, if share < 0.0 { self.cold } else { self.warm }, share.abs())
    }
}

/// A colour between two others; the share is cut to 0..=1, and what is no number counts as 0.
pub fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    std::array::from_fn(|channel| {
        let (from, to) = (f32::from(from[channel]), f32::from(to[channel]));
        (from + (to - from) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(colour: Rgb) -> [f32; 3] {
        colour.map(|channel| {
            let value = f32::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// What a dichromat sees, in linear light (Viénot, Brettel & Mollon 1999, "Digital video colourmaps for checking
    /// the legibility of displays by dichromats").
    fn dichromat(colour: Rgb, matrix: [[f32; 3]; 3]) -> [f32; 3] {
        let light = linear(colour);
        matrix.map(|row| row.iter().zip(light).map(|(weight, channel)| weight * channel).sum::<f32>().max(0.0))
    }

    const VISIONS: [[[f32; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]],
        [[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.022, 0.022, 1.0]],
    ];

    #[test]
    fn what_differs_in_meaning_differs_to_every_eye() {
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::of(theme);
            let meanings = [palette.dead, palette.live, palette.quiet, palette.warm, palette.cold];
            for vision in VISIONS {
                for (order, &one) in meanings.iter().enumerate() {
                    for &other in &meanings[..order] {
                        // Distances are taken on the cube root, which is near to even in what is seen.
                        let (a, b) = (dichromat(one, vision).map(f32::cbrt), dichromat(other, vision).map(f32::cbrt));
                        let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                        assert!(distance > 0.2, "{theme:?}: {one:?} and {other:?} are only {distance} apart");
                    }
                }
            }
        }
    }

    #[test]
    fn text_is_legible() {
        let luminance = |colour| linear(colour).iter().zip([0.2126, 0.7152, 0.0722]).map(|(a, b)| a * b).sum::<f32>();
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette::of(theme);
            for (text, ground) in [
                (palette.text, palette.panel),
                (palette.faint, palette.panel),
                (palette.faint, palette.ground),
                (palette.object, palette.dead),
                (palette.doom, palette.dead),
            ] {
                let (a, b) = (luminance(text), luminance(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast > 4.5, "{theme:?}: {text:?} on {ground:?} has contrast {contrast} (WCAG asks 4.5)");
            }
        }
    }

    #[test]
    fn the_scale_of_magnitudes_grows_lighter() {
        let light = |share: f32| linear(Palette::magnitude(share)).iter().sum::<f32>();
        let steps: Vec<f32> = (0..=100).map(|step| light(step as f32 / 100.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] <= pair[1] + 1e-3));
        assert_eq!(Palette::magnitude(-1.0), CIVIDIS[0]);
        assert_eq!(Palette::magnitude(2.0), CIVIDIS[9]);
    }

    #[test]
    fn ends_of_mixtures_are_exact() {
        let palette = Palette::of(Theme::Dark);
        assert_eq!(palette.probability(0.0), palette.dead);
        assert_eq!(palette.probability(1.0), palette.live);
        assert_eq!(palette.error(false, 1.0), palette.warm);
        assert_eq!(palette.error(true, 0.0), palette.cold);
        assert_eq!(palette.error(true, 1.0), palette.quiet);
        assert_eq!(palette.change(true, -1.0), palette.cold);
        assert_eq!(mix([0; 3], [255; 3], f32::NAN), [0; 3]);
        assert_eq!(palette.state(1, 2), palette.live);
        assert_eq!(palette.state(0, 4), palette.dead);
    }
}
