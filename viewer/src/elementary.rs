//! The world `elementary` as a subject.

use std::sync::Arc;

use environments::automata::LineRule;
use environments::elementary::{ElementaryConfig, ElementaryWorld};
use environments::{Address, Edit, Environment, Labels, Scope, Split, Symbol};
use experiments::intervention::chances;
use models::ModelSpec;

use crate::rows::RowScene;
use crate::scene::Drawn;
use crate::subject::{Asks, Fact, Observed, Subject, example, fits};
use crate::view::Tool;

/// The world `elementary`.
pub struct ElementarySubject {
    world: Arc<ElementaryWorld>,
}

impl ElementarySubject {
    /// The world of a config's section `[world]`.
    ///
    /// # Errors
    /// In one sentence that names the key at fault.
    pub fn from_section(section: &toml::Table) -> Result<Self, String> {
        let mut section = section.clone();
        section.remove("kind");
        let config: ElementaryConfig =
            section.try_into().map_err(|error: toml::de::Error| format!("[world]: {}", error.message().trim()))?;
        let world = ElementaryWorld::new(config).map_err(|error| format!("[world]: {error}"))?;
        Ok(Self { world: Arc::new(world) })
    }

    fn parse(&self, name: &str) -> Result<Edit, String> {
        change(name, self.world.config().radius)
    }
}

/// The change of a rule of a radius that a name stands for: an entry with its new value, or a whole rule.
///
/// # Errors
/// If it is neither.
pub fn change(name: &str, radius: usize) -> Result<Edit, String> {
    let wrong = || format!("`{name}` is no change of a rule here, such as `110=0` or `W30`");
    let Some((entry, value)) = name.split_once('=') else {
        let rule: LineRule = name.parse().map_err(|_| wrong())?;
        return Ok(Edit::Rule { rule: rule.to_string() });
    };
    let bits = 2 * radius + 1;
    let entry = (entry.len() == bits).then(|| u32::from_str_radix(entry, 2).ok()).flatten().ok_or_else(wrong)?;
    let value = value.parse().ok().filter(|&value: &u8| value < 2).ok_or_else(wrong)?;
    Ok(Edit::Entry { entry, value })
}

impl Subject for ElementarySubject {
    fn about(&self) -> String {
        let ElementaryConfig { radius, width, rows, .. } = self.world.config();
        let pool = self.world.pool().map_or_else(String::new, |pool| format!(", trained on {} rules", pool.len()));
        format!("elementary, radius {radius}, {rows} rows of a ring of {width} cells{pool}")
    }

    fn has_episodes(&self) -> bool {
        true
    }

    fn accepts(&self, spec: &ModelSpec) -> Result<(), String> {
        fits(spec, self.world.vocabulary(), self.world.targets(), self.world.geometry())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let unchanged = self.world.observe(split, index);
        let (own, original) = match edits {
            [] => (unchanged, None),
            edits => (self.world.edit(&unchanged, edits).map_err(|error| error.to_string())?, Some(unchanged)),
        };
        let asks = Asks::Once(self.world.sample_of(&own).tokens);
        let scene = RowScene::new(&self.world, &self.world, own, original);
        let begin = scene.last_step() / 2;
        Ok(Observed { split, index, edits: edits.to_vec(), scene: Box::new(scene), asks, begin })
    }

    fn answer(&self, logits: &[f32]) -> Vec<f32> {
        chances(logits, self.world.targets())
    }

    fn facts(&self, observed: &Observed, _step: u32, _cell: (u32, u32)) -> Vec<Fact> {
        let unchanged = self.world.observe(observed.split, observed.index);
        let Ok(own) = self.world.edit(&unchanged, &observed.edits) else { return Vec::new() };
        let mut facts = vec![("rule".to_string(), own.rule.to_string())];
        let labels = self.world.episode_of(&own).labels;
        let class = labels.get("class").filter(|column| column.scope == Scope::Episode);
        let name = class.and_then(|class| class.classes.get((*class.values.first()?)? as usize));
        facts.extend(name.map(|name| ("Wolfram's class".to_string(), name.clone())));
        facts
    }

    fn example(&self, split: Split, index: u64) -> Option<(Vec<Symbol>, Labels)> {
        example(self.world.as_ref(), split, index)
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[
            (Tool::Look, "look"),
            (Tool::Draw, "draw"),
            (Tool::Erase, "erase"),
            (Tool::Drop, "rewrite"),
            (Tool::Patch, "patch"),
        ]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        let bits = 2 * self.world.config().radius + 1;
        let entries = (0..self.world.config().entries()).rev();
        entries.flat_map(|entry| [0, 1].map(|value| format!("{entry:0bits$b}={value}"))).collect()
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        self.parse(name).map(|_| Vec::new())
    }

    fn place(&self, observed: &Observed, name: &str, _corner: (i32, i32)) -> Result<Edit, String> {
        let edit = self.parse(name)?;
        let unchanged = self.world.observe(observed.split, observed.index);
        let refused = |error: environments::EnvironmentError| error.to_string();
        let now = self.world.edit(&unchanged, &observed.edits).map_err(refused)?;
        let then = self.world.edit(&now, std::slice::from_ref(&edit)).map_err(refused)?;
        if now.rule == then.rule { Err(format!("`{name}` is the rule as it is")) } else { Ok(edit) }
    }

    fn paints(&self, (column, row): (u32, u32)) -> Result<(), String> {
        if row == 0 {
            return Ok(());
        }
        Err(format!("cell ({column}, {row}): only the first row can be drawn on, for the others follow from it"))
    }

    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        Some((self.world.observe(observed.split, observed.index).address, observed.edits.clone()))
    }

    fn chosen_in(&self, observed: &Observed, panel: &str, (column, _): (u32, u32)) -> Option<String> {
        let entry = self.world.config().entries().checked_sub(1 + column as usize).filter(|_| panel == "table")?;
        let unchanged = self.world.observe(observed.split, observed.index);
        let now = self.world.edit(&unchanged, &observed.edits).ok()?;
        let bits = 2 * self.world.config().radius + 1;
        Some(format!("{entry:0bits$b}={}", u8::from(!now.rule.next(entry))))
    }
}
