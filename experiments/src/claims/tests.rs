#![allow(clippy::unwrap_used)]
use super::*;

fn claim() -> Claim {
    Claim {
        name: "use".into(),
        statement: "The glider's representation is used.".into(),
        measure: "overlap".into(),
        comparison: "random patch".into(),
        effect: 0.2,
        null: 0.0,
        refuter: "no more than a random patch".into(),
        requires: Vec::new(),
        not_applicable: BTreeMap::new(),
    }
}

fn measured(effect: f64, low: f64, high: f64, seeds: usize) -> Measured {
    Measured {
        effect,
        interval: (low, high),
        confidence: 0.95,
        per_seed: vec![effect; seeds],
        method: "bootstrap over seeds and boards".into(),
        unit: "intersection over union".into(),
        p: None,
        refuter: None,
    }
}

fn evidence(met: &[u8]) -> Vec<Evidence> {
    met.iter().map(|&item| Evidence::new(item, true, "checked")).collect()
}

fn check(claim: &Claim, measured: Option<Measured>, evidence: Vec<Evidence>, verdict: Verdict, because: &str) {
    let finding = Finding { claim: claim.name.clone(), measured, evidence };
    let judged = judge(std::slice::from_ref(claim), &[finding]);
    assert_eq!(judged[0].verdict, verdict, "{}", judged[0].because);
    assert!(judged[0].because.contains(because), "{:?} does not say {because:?}", judged[0].because);
    assert_eq!(
        judged[0].evidence.iter().map(|evidence| evidence.item).collect::<Vec<_>>(),
        (1..=12).collect::<Vec<_>>()
    );
}

#[test]
fn supported_needs_effect_interval_seeds_and_items_one_to_six() {
    let all = [1, 2, 3, 4, 6];
    check(&claim(), Some(measured(0.3, 0.25, 0.4, 5)), evidence(&all), Verdict::Supported, "0.300 (0.250 to 0.400)");
    check(&claim(), Some(measured(0.2, 0.1, 0.4, 5)), evidence(&all), Verdict::Supported, "");
    for item in all {
        let others: Vec<u8> = all.into_iter().filter(|&other| other != item).collect();
        let name = format!("evidence item {item} is unmet");
        check(&claim(), Some(measured(0.3, 0.25, 0.4, 5)), evidence(&others), Verdict::Inconclusive, &name);
    }
    check(&claim(), Some(measured(0.3, 0.25, 0.4, 4)), evidence(&all), Verdict::Inconclusive, "item 5 is unmet");
}

#[test]
fn an_interval_that_touches_the_null_supports_nothing() {
    let all = [1, 2, 3, 4, 6];
    check(&claim(), Some(measured(0.3, 0.0, 0.6, 9)), evidence(&all), Verdict::Inconclusive, "exclude the null");
    check(&claim(), Some(measured(0.15, 0.1, 0.3, 9)), evidence(&all), Verdict::Inconclusive, "short of");
}

#[test]
fn refuted_needs_masking_no_leaks_and_seeds_but_not_the_rest() {
    let low = || Some(measured(0.05, 0.01, 0.1, 5));
    check(&claim(), low(), evidence(&[3, 4]), Verdict::Refuted, "wholly below the registered 0.200");
    check(&claim(), low(), evidence(&[1, 2, 3, 6]), Verdict::Inconclusive, "item 4 is unmet");
    check(&claim(), Some(measured(-0.1, -0.2, -0.05, 4)), evidence(&[3, 4]), Verdict::Inconclusive, "item 5");
    // The registered effect itself is not "below" it.
    check(&claim(), Some(measured(0.15, 0.1, 0.2, 5)), evidence(&[3, 4]), Verdict::Inconclusive, "short of");
}

#[test]
fn a_refuter_that_holds_outweighs_a_large_effect() {
    let mut found = measured(0.5, 0.4, 0.6, 6);
    found.refuter = Some(Refuter { holds: true, figure: "the random patch gains .48".into() });
    check(&claim(), Some(found.clone()), evidence(&[1, 2, 3, 4, 6]), Verdict::Refuted, "random patch gains .48");
    found.per_seed.truncate(2);
    check(&claim(), Some(found), evidence(&[1, 2, 3, 4, 6]), Verdict::Inconclusive, "item 5 is unmet");
}

#[test]
fn only_the_config_can_waive_an_item() {
    let mut given = evidence(&[2, 3, 4, 6]);
    given.push(Evidence { item: 1, status: Status::NotApplicable, figure: "too hard".into() });
    let found = || Some(measured(0.3, 0.25, 0.4, 5));
    check(&claim(), found(), given.clone(), Verdict::Inconclusive, "item 1 is unmet");
    let mut waived = claim();
    waived.not_applicable.insert("1".into(), "concerns outputs, not a representation".into());
    check(&waived, found(), given, Verdict::Supported, "");
}

#[test]
fn what_is_reported_twice_or_without_a_figure_counts_as_the_worse() {
    let mut given = evidence(&[1, 2, 3, 4, 6]);
    given.push(Evidence::new(2, false, "the random network does as well"));
    check(&claim(), Some(measured(0.3, 0.25, 0.4, 5)), given, Verdict::Inconclusive, "item 2 is unmet");
    let mut given = evidence(&[1, 2, 3, 4]);
    given.push(Evidence::new(6, true, " "));
    check(&claim(), Some(measured(0.3, 0.25, 0.4, 5)), given, Verdict::Inconclusive, "item 6 is unmet");
}

#[test]
fn what_is_not_a_number_carries_nothing() {
    let all = || evidence(&[1, 2, 3, 4, 6]);
    check(&claim(), None, all(), Verdict::Inconclusive, "not measured");
    check(&claim(), Some(measured(f64::NAN, 0.25, 0.4, 5)), all(), Verdict::Inconclusive, "not sound");
    check(&claim(), Some(measured(0.5, 0.25, 0.4, 5)), all(), Verdict::Inconclusive, "not sound");
    check(&claim(), Some(measured(0.5, 0.25, f64::INFINITY, 5)), all(), Verdict::Inconclusive, "not sound");
    let mut found = measured(0.3, 0.25, 0.4, 5);
    found.method.clear();
    check(&claim(), Some(found), all(), Verdict::Inconclusive, "item 5 is unmet");
    let mut found = measured(0.3, 0.25, 0.4, 5);
    found.confidence = 0.5;
    check(&claim(), Some(found), all(), Verdict::Inconclusive, "item 5 is unmet");
}

#[test]
fn a_claim_waits_for_what_it_requires() {
    let skill = Claim { name: "skill".into(), ..claim() };
    let dependent = Claim { requires: vec!["skill".into()], ..claim() };
    let find = |name: &str, effect: f64| Finding {
        claim: name.into(),
        measured: Some(measured(effect, effect - 0.01, effect + 0.01, 5)),
        evidence: evidence(&[1, 2, 3, 4, 6]),
    };
    let claims = [skill, dependent];
    let judged = judge(&claims, &[find("use", 0.05), find("skill", 0.05)]);
    assert_eq!(judged[0].verdict, Verdict::Refuted);
    assert_eq!(judged[1].verdict, Verdict::Inconclusive);
    assert!(judged[1].because.contains("`skill`"));
    let judged = judge(&claims, &[find("use", 0.05), find("skill", 0.3)]);
    assert_eq!(judged[1].verdict, Verdict::Refuted);
}

#[test]
fn a_claim_without_a_finding_is_inconclusive() {
    let judged = judge(&[claim()], &[]);
    assert_eq!(judged[0].verdict, Verdict::Inconclusive);
    assert!(judged[0].evidence.iter().all(|evidence| evidence.status == Status::Unmet));
}

#[test]
fn claims_that_cannot_be_are_refused() {
    let wrong = |change: fn(&mut Claim)| {
        let mut claim = claim();
        change(&mut claim);
        claim.validate(&["skill"]).unwrap_err().0
    };
    assert_eq!(wrong(|claim| claim.name = "a b".into()), "name");
    assert_eq!(wrong(|claim| claim.name = "skill".into()), "name");
    assert_eq!(wrong(|claim| claim.effect = 0.0), "effect");
    assert_eq!(wrong(|claim| claim.effect = f64::NAN), "effect");
    assert_eq!(wrong(|claim| claim.refuter = " ".into()), "refuter");
    assert_eq!(wrong(|claim| claim.requires = vec!["fate".into()]), "requires");
    for item in ["5", "13", "x", "01"] {
        let mut claim = claim();
        claim.not_applicable.insert(item.into(), "because".into());
        assert_eq!(claim.validate(&[]).unwrap_err().0, "not_applicable", "{item}");
    }
    claim().validate(&["skill"]).unwrap();
}

#[test]
fn figures_show_three_decimals_and_never_a_negative_zero() {
    let shown: Vec<String> = [0.0, -0.0, 0.1234, -0.5, 1e-5, 2.5e7].into_iter().map(figure).collect();
    assert_eq!(shown, ["0.000", "0.000", "0.123", "-0.500", "1.00e-5", "2.50e7"]);
}
