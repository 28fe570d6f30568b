//! The runs under way. One that panics has a fault of its own and takes nobody along: it is unmeasured, and its journey is
//! due again.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};
use vigia_contract::data_model::{ErrorClass, Outcome};

use crate::{
    journey::Journey,
    report::PictureMemory,
    run::{self, Failure, RunReport},
};

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Which journey.
    pub journey: Arc<Journey>,
    /// What it came to.
    pub outcome: Outcome,
    /// Where another selector of a list stood in.
    pub drifts: Vec<String>,
    /// What it leaves for the journey's next run.
    pub pictures: PictureMemory,
}

/// A run that has not told what it came to.
#[derive(Debug)]
pub struct Panicked {
    /// Which journey.
    pub journey: Arc<Journey>,
    /// What there is to tell.
    pub report: RunReport,
}

/// The runs under way.
#[derive(Debug, Default)]
pub struct Runs {
    tasks: JoinSet<Ended>,
    begun: HashMap<Id, (Arc<Journey>, Timestamp)>,
}

impl Runs {
    /// Starts one.
    pub fn start(
        &mut self,
        journey: Arc<Journey>,
        run: impl Future<Output = Ended> + Send + 'static,
    ) {
        let task = self.tasks.spawn(run);
        self.begun.insert(task.id(), (journey, Timestamp::now()));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The next one that ends; nothing while there is none.
    pub async fn next(&mut self) -> Option<Result<Ended, Panicked>> {
        match self.tasks.join_next_with_id().await? {
            Ok((id, ended)) => {
                self.begun.remove(&id);
                Some(Ok(ended))
            }
            Err(error) => {
                let (journey, started) = self.begun.remove(&error.id())?;
                let failure = Failure::of_probe(
                    ErrorClass::Browser,
                    "the probe has a fault of its own, its log says where: please report it",
                );
                let report = RunReport::without_a_look(run::run_id(started), started, failure);
                Some(Err(Panicked { journey, report }))
            }
        }
    }

    /// Ends them all, wherever they are.
    pub async fn abort(&mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use vigia_contract::variables::Variables;

    use super::*;
    use crate::journey;

    fn example(name: &str) -> Arc<Journey> {
        let file = format!(
            "{}/../examples/journeys/{name}.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        Arc::new(journey::read(file.as_ref(), &Variables::new()).unwrap())
    }

    #[tokio::test]
    async fn a_run_that_panics_is_unmeasured_and_the_others_end_as_ever() {
        let mut runs = Runs::default();
        runs.start(example("consultar-tramite"), async { panic!("a fault") });
        let panicked = runs.next().await.unwrap().unwrap_err();
        assert_eq!(panicked.journey.name, "consultar-tramite");
        assert_eq!(panicked.report.outcome, Outcome::Unmeasured);

        let other = example("presentar-solicitud");
        runs.start(Arc::clone(&other), async {
            Ended {
                drifts: Vec::new(),
                journey: other,
                outcome: Outcome::Ok,
                pictures: PictureMemory::default(),
            }
        });
        let ended = runs.next().await.unwrap().unwrap();
        assert_eq!(ended.journey.name, "presentar-solicitud");
        assert!(runs.next().await.is_none());
        assert!(runs.begun.is_empty());
    }
}
