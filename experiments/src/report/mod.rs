//! `report.html`: one file that opens from disk, with everything in it.

use std::fmt::Write;

use crate::claims::{ClaimResult, ClaimsFile, EVIDENCE_TITLES, Measured, Status, Verdict, figure};
use crate::experiment::{Section, Table};
use crate::figures::{Figure, escape};
use crate::provenance::Provenance;

#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("style.css");

/// What a report is made of; all of it is in the run directory.
pub struct Report<'a> {
    /// The run's name.
    pub run: &'a str,
    /// What the experiment is about, in one line.
    pub about: &'a str,
    /// The judged claims.
    pub claims: &'a ClaimsFile,
    /// Text, figures and tables.
    pub sections: &'a [Section],
    /// The resolved config.
    pub config: &'a str,
    /// What ran it.
    pub provenance: &'a Provenance,
}

/// Renders the report.
///
/// # Errors
/// If a figure cannot be drawn.
pub fn render(report: &Report<'_>) -> anyhow::Result<String> {
    let mut body = String::new();
    let claims = &report.claims.claims;
    let _ = write!(
        body,
        "<header><h1>{}</h1><p class=\"about\">{}</p><p class=\"run\">run <code>{}</code> · seed {} · device {} · \
         revision {}</p></header>",
        escape(&report.claims.experiment),
        escape(report.about),
        escape(report.run),
        report.claims.seed,
        escape(&report.provenance.device),
        escape(&report.provenance.shown_revision()),
    );
    body += "<main><section id=\"verdicts\"><h2>Verdicts</h2>";
    body += &verdicts(claims);
    body += "<p class=\"note\">A claim is <em>supported</em> only when its interval excludes the null, its effect \
             reaches the one registered before the run, and evidence items 1 to 6 are met. It is <em>refuted</em> when \
             the interval lies wholly below the registered effect or its refuter holds, with enough seeds, trivial \
             cases masked and no leaks. Everything else is <em>inconclusive</em>.</p></section>";
    for claim in claims {
        let own: Vec<&Section> =
            report.sections.iter().filter(|section| section.claim.as_deref() == Some(&claim.claim.name)).collect();
        body += &self::claim(claim, &own)?;
    }
    let named = |name: &String| claims.iter().any(|claim| claim.claim.name == *name);
    // A section of a claim that is not registered is shown too, never dropped.
    for section in report.sections.iter().filter(|section| !section.claim.as_ref().is_some_and(named)) {
        let _ = write!(body, "<section><h2>{}</h2>", escape(&section.title));
        body += &content(section)?;
        body += "</section>";
    }
    body += &provenance(report.provenance);
    let _ = write!(
        body,
        "<section><h2>Config</h2><p>Resolved: all that fixes the run. <code>stance run config.toml</code> runs it \
         again.</p><details><summary>config.toml</summary><pre>{}</pre></details></section></main>",
        escape(report.config)
    );
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · {}</title><style>{STYLE}</style></head><body>{body}</body></html>\n",
        escape(&report.claims.experiment),
        escape(report.run)
    ))
}

fn verdicts(claims: &[ClaimResult]) -> String {
    if claims.is_empty() {
        return "<p>The config registers no claim.</p>".into();
    }
    let mut html = "<div class=\"wide\"><table class=\"verdicts\"><thead><tr><th>Claim</th><th>Verdict</th><th \
                    class=\"number\">Effect</th><th class=\"number\">Interval</th><th class=\"number\">Registered</th>\
                    <th class=\"number\">Seeds</th><th>Unmet</th></tr></thead><tbody>"
        .to_string();
    for claim in claims {
        let (effect, interval, seeds) = shown(claim.measured.as_ref());
        let unmet = claim.evidence.iter().filter(|evidence| evidence.status == Status::Unmet);
        let unmet: Vec<String> = unmet.map(|evidence| evidence.item.to_string()).collect();
        let _ = write!(
            html,
            "<tr><td><a href=\"#claim-{0}\">{0}</a></td><td>{1}</td><td class=\"number\">{effect}</td>\
             <td class=\"number\">{interval}</td><td class=\"number\">≥ {2}</td><td class=\"number\">{seeds}</td>\
             <td>{3}</td></tr>",
            escape(&claim.claim.name),
            badge(claim.verdict),
            figure(claim.claim.effect),
            if unmet.is_empty() { "none".into() } else { unmet.join(", ") },
        );
    }
    html + "</tbody></table></div>"
}

fn shown(measured: Option<&Measured>) -> (String, String, String) {
    match measured {
        None => ("not measured".into(), "–".into(), "–".into()),
        Some(measured) => (
            figure(measured.effect),
            format!("{} to {}", figure(measured.interval.0), figure(measured.interval.1)),
            measured.per_seed.len().to_string(),
        ),
    }
}

fn badge(verdict: Verdict) -> String {
    // The sign says it without colour.
    let sign = match verdict {
        Verdict::Supported => "✓",
        Verdict::Refuted => "✗",
        Verdict::Inconclusive => "?",
    };
    format!("<span class=\"badge {0}\">{sign} {0}</span>", verdict.name())
}

fn claim(result: &ClaimResult, sections: &[&Section]) -> anyhow::Result<String> {
    let claim = &result.claim;
    let mut html = format!(
        "<section id=\"claim-{0}\"><h2>Claim: {0} {1}</h2><p class=\"statement\">{2}</p><p class=\"because\">\
         {3}.</p><dl><dt>Measure</dt><dd>{4}</dd><dt>Compared with</dt><dd>{5}</dd><dt>Would count</dt><dd>an effect \
         of at least {6}, with an interval above {7}</dd><dt>Would refute</dt><dd>{8}</dd>",
        escape(&claim.name),
        badge(result.verdict),
        prose(&claim.statement),
        prose(&capitalised(&result.because)),
        prose(&claim.measure),
        prose(&claim.comparison),
        figure(claim.effect),
        figure(claim.null),
        prose(&claim.refuter),
    );
    if !claim.requires.is_empty() {
        let _ = write!(html, "<dt>Requires</dt><dd>{} supported</dd>", escape(&claim.requires.join(", ")));
    }
    if let Some(measured) = &result.measured {
        let per_seed: Vec<String> = measured.per_seed.iter().map(|&effect| figure(effect)).collect();
        let p = measured.p.map_or_else(String::new, |p| format!("; p = {}", figure(p)));
        let _ = write!(
            html,
            "<dt>Effect</dt><dd><strong>{}</strong> ({}; {:.0}% interval {} to {}{p})</dd><dt>By seed</dt><dd>{}</dd>\
             <dt>Interval by</dt><dd>{}</dd>",
            figure(measured.effect),
            escape(&measured.unit),
            measured.confidence * 100.0,
            figure(measured.interval.0),
            figure(measured.interval.1),
            per_seed.join(" · "),
            escape(&measured.method),
        );
        if let Some(refuter) = &measured.refuter {
            let holds = if refuter.holds { "holds" } else { "does not hold" };
            let _ = write!(html, "<dt>Refuter</dt><dd>{holds}: {}</dd>", prose(&refuter.figure));
        }
    }
    html += "</dl><h3>Evidence</h3><div class=\"wide\"><table class=\"evidence\"><thead><tr><th class=\"number\">#</th>\
             <th>Item</th><th>Status</th><th>Figure</th></tr></thead><tbody>";
    for evidence in &result.evidence {
        let title = EVIDENCE_TITLES.get(usize::from(evidence.item).wrapping_sub(1)).unwrap_or(&"");
        let (short, rest) = title.split_once(": ").unwrap_or((title, ""));
        let class = evidence.status.name().replace(' ', "-");
        let sign = match evidence.status {
            Status::Met => "✓",
            Status::Unmet => "✗",
            Status::NotApplicable => "–",
        };
        let _ = write!(
            html,
            "<tr><td class=\"number\">{}</td><td><span title=\"{}\">{}</span></td><td class=\"status {class}\">{sign} \
             {}</td><td>{}</td></tr>",
            evidence.item,
            escape(rest),
            escape(short),
            evidence.status.name(),
            prose(&evidence.figure),
        );
    }
    html += "</tbody></table></div>";
    for section in sections {
        let _ = write!(html, "<h3>{}</h3>", escape(&section.title));
        html += &content(section)?;
    }
    Ok(html + "</section>")
}

fn content(section: &Section) -> anyhow::Result<String> {
    let mut html = String::new();
    for paragraph in &section.text {
        let _ = write!(html, "<p>{}</p>", prose(paragraph));
    }
    for figure in &section.figures {
        html += &drawn(figure)?;
    }
    for table in &section.tables {
        html += &self::table(table);
    }
    Ok(html)
}

fn drawn(figure: &Figure) -> anyhow::Result<String> {
    let svg = figure.to_svg()?;
    let labelled = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escape(&figure.title)), 1);
    Ok(format!(
        "<figure><h4>{}</h4>{labelled}<figcaption>{}</figcaption></figure>",
        escape(&figure.title),
        prose(&figure.caption)
    ))
}

fn table(table: &Table) -> String {
    let numeric = |cell: &str| {
        let core: String = cell.chars().filter(|c| !" –-−+±()%,to.eE".contains(*c)).collect();
        !core.is_empty() && core.chars().all(|c| c.is_ascii_digit()) || matches!(cell.trim(), "–" | "-")
    };
    let right: Vec<bool> = (0..table.header.len())
        .map(|column| {
            !table.rows.is_empty() && table.rows.iter().all(|row| row.get(column).is_some_and(|cell| numeric(cell)))
        })
        .collect();
    let row = |cells: &[String], tag: &str| {
        let mut html = "<tr>".to_string();
        for (column, cell) in cells.iter().enumerate() {
            let class = if right.get(column) == Some(&true) { " class=\"number\"" } else { "" };
            let _ = write!(html, "<{tag}{class}>{}</{tag}>", escape(cell));
        }
        html + "</tr>"
    };
    let rows: String = table.rows.iter().map(|cells| row(cells, "td")).collect();
    format!(
        "<div class=\"wide\"><table><caption>{}</caption><thead>{}</thead><tbody>{rows}</tbody></table></div>",
        escape(&table.caption),
        row(&table.header, "th")
    )
}

fn provenance(provenance: &Provenance) -> String {
    let versions: Vec<String> = provenance.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut entries = vec![
        ("Revision", provenance.shown_revision()),
        ("Device", provenance.device.clone()),
        ("Processor", format!("{}, {} threads", provenance.processor, provenance.threads)),
        ("Platform", provenance.platform.clone()),
        ("Versions", versions.join(" · ")),
        ("Cargo.lock", format!("SHA-256 {}", provenance.lock_file)),
    ];
    if !provenance.resumed_from.is_empty() {
        entries.push(("Begun by", provenance.resumed_from.join(", ")));
    }
    let mut html = "<section><h2>Provenance</h2><dl>".to_string();
    for (name, value) in entries {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    html + "</dl></section>"
}

/// Text with what stands between backticks as code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = escape(text).split('`').map(str::to_string).collect();
    if parts.len().is_multiple_of(2) {
        return parts.join("`");
    }
    let wrap = |(number, part): (usize, String)| if number % 2 == 1 { format!("<code>{part}</code>") } else { part };
    parts.into_iter().enumerate().map(wrap).collect()
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}
