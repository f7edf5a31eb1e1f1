//! When the API server was heard, and how often it stopped being heard.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::identity::cluster::{AddressChange, Change, Health, Source};
use crate::usage::pod::SourceUsage;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Heard {
    told: BTreeMap<Source, SystemTime>,
    interruptions: BTreeMap<(Source, &'static str), u64>,
}

impl Heard {
    /// Notes that news came.
    pub(super) fn note(&mut self, change: &Change, now: SystemTime) {
        match change {
            Change::Health(source, Health::Interrupted(trouble)) => {
                *self.interruptions.entry((*source, trouble.label())).or_default() += 1;
            }
            // What is to come, not news.
            Change::Addresses(AddressChange::PodLabels(_)) => {}
            told => {
                self.told.insert(told.source(), now);
            }
        }
    }

    /// Adds what was noted of sources, which are those `watched`, in this order.
    pub(super) fn add(&self, watched: &[Source], sources: &mut [SourceUsage]) {
        for (source, usage) in watched.iter().zip(sources) {
            let told = self.told.get(source).and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            usage.told_time_seconds = told.map(|since| since.as_secs_f64());
            let of_source = self.interruptions.iter().filter(|((of, _), _)| of == source);
            usage.interruptions_total =
                of_source.map(|((_, reason), count)| ((*reason).to_owned(), *count)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Heard;
    use crate::identity::cluster::change::{Change, Health, Trouble, Update};
    use crate::identity::cluster::{Source, samples};
    use crate::usage::pod::SourceUsage;

    #[test]
    fn each_source_has_its_own() {
        let mut heard = Heard::default();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let pod = Change::Pods(Update::Put(samples::pod("1", "a/b", "")));
        heard.note(&pod, at(5));
        let trouble = Trouble::Forbidden(String::new());
        heard.note(&Change::Health(Source::Pods, Health::Interrupted(trouble)), at(6));
        heard.note(&Change::Health(Source::Quotas, Health::Synced), at(7));
        let watched = [Source::Pods, Source::Namespaces, Source::Quotas];
        let mut sources = [const { None }; 3].map(|_: Option<()>| SourceUsage::default());
        heard.add(&watched, &mut sources);
        let is = sources.map(|it| {
            (it.told_time_seconds, it.interruptions_total.into_iter().collect::<Vec<_>>())
        });
        let forbidden = vec![("forbidden".to_owned(), 1)];
        assert_eq!(is, [(Some(5.0), forbidden), (None, vec![]), (Some(7.0), vec![])]);
    }
}
