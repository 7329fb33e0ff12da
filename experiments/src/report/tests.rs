#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use super::*;
use crate::claims::{Claim, Evidence, Finding, judge};
use crate::figures::{Axis, Line, Plot, Value};

fn provenance() -> Provenance {
    Provenance {
        revision: "0123456789abcdef".into(),
        dirty: Some(false),
        lock_file: "00".into(),
        versions: BTreeMap::new(),
        device: "cpu".into(),
        processor: "a processor".into(),
        threads: 2,
        platform: "linux x86_64".into(),
        resumed_from: Vec::new(),
        seconds: None,
    }
}

fn rendered(sections: &[Section]) -> String {
    let claim = Claim {
        name: "skill".into(),
        statement: "Better than <nothing> & persistence".into(),
        measure: "overlap".into(),
        comparison: "persistence".into(),
        effect: 0.1,
        null: 0.0,
        refuter: "no better".into(),
        requires: Vec::new(),
        not_applicable: BTreeMap::from([("1".into(), "about outputs".into())]),
    };
    let measured = Measured {
        effect: 0.3,
        interval: (0.2, 0.4),
        confidence: 0.95,
        per_seed: vec![0.3, 0.31],
        method: "bootstrap over seeds and boards".into(),
        unit: "intersection over union".into(),
        p: Some(0.004),
        refuter: None,
    };
    let finding =
        Finding { claim: "skill".into(), measured: Some(measured), evidence: vec![Evidence::new(2, true, "checked")] };
    let claims = ClaimsFile { experiment: "x".into(), seed: 3, claims: judge(&[claim], &[finding]) };
    render(&Report {
        run: "x-01234567",
        about: "about it",
        claims: &claims,
        sections,
        config: "seed = 3\n",
        provenance: &provenance(),
    })
    .unwrap()
}

#[test]
fn a_report_shows_verdict_effect_and_all_twelve_items() {
    let html = rendered(&[]);
    for part in ["inconclusive", "0.300", "0.200 to 0.400", "Better than &lt;nothing&gt; &amp; persistence", "0.310"] {
        assert!(html.contains(part), "{part} is not in the report");
    }
    for title in EVIDENCE_TITLES {
        assert!(html.contains(&escape(title.split(": ").next().unwrap())), "{title}");
    }
    assert_eq!(html.matches("class=\"status met\"").count(), 1);
    assert_eq!(html.matches("class=\"status not-applicable\"").count(), 1);
    assert_eq!(html.matches("class=\"status unmet\"").count(), 10);
}

#[test]
fn a_report_is_self_contained() {
    let point = |x: f64| (x, Value { value: x, interval: None });
    let line = Line { name: "trained".into(), baseline: false, points: vec![point(1.0), point(2.0)] };
    let plot = Plot::Lines { x: Axis::new("x"), y: Axis::new("y"), series: vec![line] };
    let figure = Figure { name: "f".into(), title: "F".into(), caption: "c".into(), plot };
    let table = Table {
        caption: "t".into(),
        header: vec!["name".into(), "value".into()],
        rows: vec![vec!["a".into(), "0.5 (0.4 to 0.6)".into()]],
    };
    let section = |claim: Option<&str>| Section {
        title: "Here".into(),
        claim: claim.map(str::to_string),
        text: vec!["A paragraph on `x < y`.".into()],
        figures: vec![figure.clone()],
        tables: vec![table.clone()],
    };
    let html = rendered(&[section(None), section(Some("skill")), section(Some("not registered"))]);
    assert_eq!(html.matches("<figure>").count(), 3, "a section was dropped");
    assert_eq!(html.matches("<td class=\"number\">0.5 (0.4 to 0.6)").count(), 3);
    assert!(html.contains("<p>A paragraph on <code>x &lt; y</code>.</p>"));
    for outside in ["src=", "href=\"http", "@import", "url(", "<script"] {
        assert!(!html.contains(outside), "the report refers to something outside it: {outside}");
    }
}
