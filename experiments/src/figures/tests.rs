#![allow(clippy::unwrap_used)]
use super::*;

fn value(value: f64) -> Value {
    Value { value, interval: Some((value - 0.1, value + 0.1)) }
}

fn figure(plot: Plot) -> Figure {
    Figure { name: "skill".into(), title: "Skill".into(), caption: String::new(), plot }
}

fn chart(logarithmic: bool, first: f64) -> Figure {
    let axis = Axis { label: "horizon (steps) <k>".into(), logarithmic, range: None };
    let line = |name: &str, baseline| Line {
        name: name.into(),
        baseline,
        points: vec![(first, value(0.9)), (2.0, value(0.8)), (4.0, value(0.5))],
    };
    figure(Plot::Lines {
        x: axis,
        y: Axis::new("intersection over union").spanning(0.0, 1.0),
        series: vec![line("trained", false), line("persistence & majority", true)],
    })
}

#[test]
fn charts_carry_their_labels_escaped_and_in_the_text_colour() {
    for logarithmic in [false, true] {
        let svg = chart(logarithmic, 1.0).to_svg().unwrap();
        for part in ["horizon (steps) &lt;k&gt;", "intersection over union", "persistence &amp; majority", "polygon"] {
            assert!(svg.contains(part), "{part} is not in the chart");
        }
        assert!(svg.contains("currentColor") && !svg.contains("#010203"));
        assert!(!svg.contains("width=\"720\" height"), "the chart has a fixed size");
        assert_eq!(svg.matches("<svg").count(), 1);
        assert!(svg.ends_with("</svg>"));
    }
}

#[test]
fn every_line_has_its_marker_in_the_legend_and_baselines_differ() {
    let line = |number: usize| Line {
        name: format!("line {number}"),
        baseline: number >= 4,
        points: vec![(1.0, value(0.9)), (2.0, value(0.8))],
    };
    let plot = Plot::Lines { x: Axis::new("x"), y: Axis::new("y"), series: (0..7).map(line).collect() };
    let svg = figure(plot).to_svg().unwrap();
    let legend = &svg[svg.find("<line x1=\"66\"").unwrap()..];
    assert_eq!(legend.matches("<line x1").count(), 7);
    assert_eq!(legend.matches("stroke-dasharray").count(), 3);
    let colours: std::collections::BTreeSet<&str> = legend.split("stroke=\"").skip(1).map(|rest| &rest[..7]).collect();
    assert_eq!(colours.len(), 7);
}

#[test]
fn a_logarithmic_axis_is_marked_at_powers_of_two() {
    let svg = chart(true, 1.0).to_svg().unwrap();
    let texts: Vec<&str> = svg.lines().map(str::trim).collect();
    assert!(["1", "2", "4"].iter().all(|label| texts.contains(label)), "{svg}");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let error = |figure: Figure| format!("{:#}", figure.to_svg().unwrap_err());
    assert!(error(chart(true, 0.0)).contains("not positive"));
    assert!(error(chart(false, f64::NAN)).contains("not a number"));
    assert!(error(figure(Plot::Boards { rows: Vec::new() })).contains("no board"));
    let bars = Bars { name: "glider".into(), baseline: false, values: vec![Some(value(0.5))] };
    let groups = vec!["layer 0".into(), "layer 1".into()];
    assert!(error(figure(Plot::Bars { y: Axis::new("y"), groups, series: vec![bars] })).contains("1 values for 2"));
    let panel = |cells: Vec<f32>| Panel {
        title: "truth".into(),
        width: 2,
        cells,
        shading: Shading::Probability,
        outlines: vec![vec![(0, 0)]],
    };
    assert!(error(figure(Plot::Boards { rows: vec![vec![panel(vec![0.0; 3])]] })).contains("3 cells"));
    assert!(error(figure(Plot::Boards { rows: vec![vec![panel(vec![0.0, 1.5])]] })).contains("1.5"));
}

#[test]
fn bars_are_drawn_from_zero_and_gaps_left_empty() {
    let bars = |name: &str, values: Vec<Option<Value>>| Bars { name: name.into(), baseline: false, values };
    let groups = vec!["layer 0".to_string(), "layer 1".into()];
    let series = vec![bars("trained", vec![Some(value(0.5)), None]), bars("random", vec![Some(value(0.2)); 2])];
    let svg = figure(Plot::Bars { y: Axis::new("balanced accuracy"), groups, series }).to_svg().unwrap();
    assert!(svg.contains("layer 1") && svg.contains("balanced accuracy"));
    // Three bars and two squares of the legend.
    let svg = svg.to_lowercase();
    assert_eq!(svg.matches("#2f7fc1").count() + svg.matches("#d98200").count(), 3 + 2);
}

#[test]
fn boards_draw_live_cells_and_outlines() {
    let panel = Panel {
        title: "truth".into(),
        width: 3,
        cells: vec![0.0, 1.0, 1.0, 0.0, 0.0, 0.5],
        shading: Shading::Probability,
        outlines: vec![vec![(1, 0), (2, 0)]],
    };
    let svg = figure(Plot::Boards { rows: vec![vec![panel.clone(), panel]] }).to_svg().unwrap();
    // A run of two live cells is one rectangle; then the shaded one.
    assert_eq!(svg.matches("x=\"1\" y=\"0\" width=\"2\"").count(), 2);
    assert_eq!(svg.matches("fill-opacity=\"0.52\"").count(), 2);
    // Six outer edges of two neighbouring cells.
    assert_eq!(svg.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap().matches('M').count(), 6);
}

#[test]
fn a_file_of_its_own_has_a_background_in_light_and_dark() {
    let svg = chart(false, 1.0).to_svg_file().unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("prefers-color-scheme:dark"));
}
