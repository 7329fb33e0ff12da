//! Any world as a subject: its tokens, without a picture of its own.

use environments::sequence::SequenceModel;
use environments::{Address, Edit, Environment, Labels, Sample, Scope, Split, Symbol, UNSCORED};
use experiments::intervention::chances;
use models::ModelSpec;

use crate::subject::{Asks, Fact, Observed, Subject, example, fits};
use crate::tokens::{Reference, TokenScene};
use crate::view::Tool;

/// A predictor before its first symbol.
type Fresh = Box<dyn Fn() -> Box<dyn SequenceModel> + Send + Sync>;

/// A world of which nothing is known but what every world has.
pub struct SequenceSubject {
    environment: Box<dyn Environment>,
    /// Input and output symbols as they are written.
    names: [Vec<String>; 2],
    reference: Option<(String, Fresh)>,
}

impl SequenceSubject {
    /// A world whose symbols are written as numbers.
    pub fn new(environment: Box<dyn Environment>) -> Self {
        let numbers = |count: usize| (0..count).map(|symbol| symbol.to_string()).collect();
        let names = [numbers(environment.vocabulary()), numbers(environment.targets())];
        Self { environment, names, reference: None }
    }

    /// The same with its symbols written otherwise: for each input symbol, then for each output symbol.
    pub fn spelt(mut self, input: impl Fn(usize) -> String, output: impl Fn(usize) -> String) -> Self {
        self.names = [
            (0..self.environment.vocabulary()).map(input).collect(),
            (0..self.environment.targets()).map(output).collect(),
        ];
        self
    }

    /// The same with a predictor of its outputs to set beside models.
    pub fn beside(mut self, name: &str, fresh: impl Fn() -> Box<dyn SequenceModel> + Send + Sync + 'static) -> Self {
        self.reference = Some((name.into(), Box::new(fresh)));
        self
    }

    /// Follows what is to be predicted; nothing of it where it says what the predictor has no symbol for.
    fn follow(&self, sample: &Sample) -> Option<Reference> {
        let (name, fresh) = self.reference.as_ref()?;
        let mut predictor = fresh();
        let known = |target: &&Symbol| **target != UNSCORED && usize::from(**target) < predictor.alphabet();
        let targets: Vec<usize> = sample.targets.iter().take_while(known).map(|&target| target.into()).collect();
        let next = targets.into_iter().map(|target| {
            let mut chances = predictor.probabilities();
            chances.resize(self.environment.targets(), 0.0);
            predictor.observe(target);
            chances
        });
        Some(Reference { name: name.clone(), next: next.collect() })
    }
}

impl Subject for SequenceSubject {
    fn about(&self) -> String {
        let environment = &self.environment;
        format!("{}, {} positions, {} symbols", environment.name(), environment.geometry().len(), environment.targets())
    }

    fn has_episodes(&self) -> bool {
        true
    }

    fn accepts(&self, spec: &ModelSpec) -> Result<(), String> {
        let environment = &self.environment;
        fits(spec, environment.vocabulary(), environment.targets(), environment.geometry())
    }

    fn horizons(&self) -> &[u32] {
        &[]
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let unchanged = self.environment.episode(split, index);
        let (own, original) = match edits {
            [] => (unchanged, None),
            edits => {
                let edited = self.environment.counterfactual(&unchanged.address, edits);
                (edited.map_err(|error| error.to_string())?, Some(unchanged.sample))
            }
        };
        let reference = self.follow(&own.sample);
        let asks = Asks::Once(own.sample.tokens.clone());
        let scene = TokenScene::new(own.scene, own.sample, original, self.names.clone(), reference);
        let begin = scene.begin();
        Ok(Observed { split, index, edits: edits.to_vec(), scene: Box::new(scene), asks, begin })
    }

    fn answer(&self, logits: &[f32]) -> Vec<f32> {
        chances(logits, self.environment.targets())
    }

    fn facts(&self, observed: &Observed, _step: u32, cell: (u32, u32)) -> Vec<Fact> {
        let address = self.environment.episode(observed.split, observed.index).address;
        let Ok(episode) = self.environment.counterfactual(&address, &observed.edits) else { return Vec::new() };
        let position = observed.scene.position_of(cell);
        let columns = episode.labels.columns.iter().filter_map(|column| {
            let value = match column.scope {
                Scope::Token => (*column.values.get(position)?)?,
                Scope::Episode => (*column.values.first()?)?,
                Scope::Object => return None,
            };
            let name = column.classes.get(value as usize).cloned();
            Some((column.concept.replace('_', " "), name.unwrap_or_else(|| value.to_string())))
        });
        columns.collect()
    }

    fn example(&self, split: Split, index: u64) -> Option<(Vec<Symbol>, Labels)> {
        example(self.environment.as_ref(), split, index)
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[(Tool::Look, "look"), (Tool::Patch, "patch")]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        Vec::new()
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        Err(format!("`{name}`: nothing can be put down in the world {}", self.environment.name()))
    }

    fn place(&self, _observed: &Observed, name: &str, _corner: (i32, i32)) -> Result<Edit, String> {
        self.footprint(name).and(Err("nothing can be put down here".into()))
    }

    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        let address = self.environment.episode(observed.split, observed.index).address;
        Some((address, observed.edits.clone()))
    }
}
