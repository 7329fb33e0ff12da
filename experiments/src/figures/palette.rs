//! Colours that people with any colour vision can tell apart, on light and on dark ground.

use plotters::style::RGBColor;

/// Colours of series, after Okabe & Ito (2008, "Color Universal Design"), with the two that vanish on white or on
/// black (yellow, black) left out and the others brought to a middle lightness. Series also differ in their marker.
pub const SERIES: [RGBColor; 6] = [
    RGBColor(0x2f, 0x7f, 0xc1),
    RGBColor(0xd9, 0x82, 0x00),
    RGBColor(0x00, 0x93, 0x6c),
    RGBColor(0xc2, 0x5f, 0x9c),
    RGBColor(0xcf, 0x50, 0x1c),
    RGBColor(0x45, 0xa5, 0xdb),
];

/// Baselines: near grey, so that they stand back behind the series, and of different tint and lightness.
const BASELINES: [RGBColor; 6] = [
    RGBColor(0x86, 0x8b, 0x92),
    RGBColor(0xb3, 0xa0, 0x7c),
    RGBColor(0x61, 0x74, 0x8a),
    RGBColor(0xa9, 0xb3, 0xbf),
    RGBColor(0x7d, 0x6a, 0x5c),
    RGBColor(0x8f, 0xa3, 0x8a),
];

/// Stands for the colour of the surrounding text, and is replaced by `currentColor` once a chart is drawn.
pub(super) const TEXT: RGBColor = RGBColor(1, 2, 3);

/// Puts `currentColor` where [`TEXT`] is.
pub(super) fn with_text_colour(svg: &str) -> String {
    svg.replace("#010203", "currentColor")
}

/// The colour of a series and the number of its marker; baselines count among themselves.
pub(super) fn styles(baselines: impl Iterator<Item = bool>) -> Vec<(RGBColor, usize)> {
    let (mut coloured, mut grey) = (0, 0);
    let style = |baseline| {
        let (colour, count) = if baseline {
            (BASELINES[grey % BASELINES.len()], &mut grey)
        } else {
            (SERIES[coloured % SERIES.len()], &mut coloured)
        };
        *count += 1;
        (colour, *count - 1)
    };
    baselines.map(style).collect()
}

/// A colour as SVG writes it.
pub(super) fn hex(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// Text that may stand in an XML document.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character if character.is_control() && !"\n\t".contains(character) => {}
            character => escaped.push(character),
        }
    }
    escaped
}
