//! One event → the alerts of the rules that it matches.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use super::Detector;
use crate::calls;
use crate::container::ContainerFacts;
use crate::detection::alert::Alert;
use crate::detection::peer;
use crate::detection::repeats::{Likeness, Verdict};
use crate::event::{Place, PodFacts, Record, Surroundings, View};
use crate::filter::VerdictKey;
use crate::process::Process;
use crate::rules::evaluate::evaluate;
use crate::rules::event::Event as _;
use crate::rules::event_type::EventType;
use crate::rules::output;

/// One in so many events is held against each of its rules alone, to tell what each
/// costs.
const SAMPLE: u64 = 4096;

impl Detector {
    /// Holds an event against the rules. `actor` is who acted, where that is not who
    /// the process is now.
    pub(super) fn judge(
        &mut self,
        record: &Record<'_>,
        event_type: EventType,
        number: u64,
        actor: Option<&Process>,
        alerts: &mut dyn FnMut(Alert),
    ) {
        self.counts.events += 1;
        self.judged_of[event_type.index()] += 1;
        let head = &record.head;
        let place = self.places.get(head.cgroup);
        let process = actor.or_else(|| self.table.get(head.tgid, head.start_ns));
        let around = Surroundings {
            process,
            processes: &self.table,
            place,
            names: &self.names,
            node: &self.node,
            number,
            previous_ns: if self.previous_ns == 0 { head.time_ns } else { self.previous_ns },
            peer: peer::of(record, event_type, &self.table, &self.places),
        };
        let view = View::new(record, calls::of_record(record), event_type, around);
        if self.deeds.are_kept()
            && let Some(deed) = view.deed()
        {
            self.deeds.note((head.tgid, head.start_ns), deed);
        }
        let matched = &mut self.matched;
        matched.clear();
        evaluate(self.rules.program(), &view, &mut self.scratch, |rule| matched.push(rule));
        if matched.is_empty()
            && head.verdict[0] != 0
            && let Some(filter) = &self.filter
        {
            let scratch = &mut self.filter_scratch;
            let keys =
                [(VerdictKey::Subject, head.verdict), (VerdictKey::AsGiven, record.raw_verdict)];
            let spared = keys.into_iter().find_map(|(key, verdict)| {
                self.subjects.consider(verdict, || filter.never(key, record, &view, scratch))
            });
            self.verdicts.extend(spared);
        }
        if self.counts.events.is_multiple_of(SAMPLE) {
            for rule in self.rules.rules_of(event_type) {
                let Some(program) = self.rules.alone(rule) else { continue };
                let began = Instant::now();
                evaluate(program, &view, &mut self.alone_scratch, |_| {});
                let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.nanos_of[rule] =
                    self.nanos_of[rule].saturating_add(took.saturating_mul(SAMPLE));
            }
        }
        for rule in matched.iter().copied() {
            self.matches_of[rule] += 1;
            let (Some(about), Some(written)) =
                (self.rules.rules().get(rule), self.rules.output(rule))
            else {
                continue;
            };
            let mut message = Vec::new();
            written.message().write(&view, &self.settings.zone, &mut self.text, &mut message);
            let likeness = likeness(&about.name, &place.tenant, &message);
            let verdict = self.repeats.note(likeness, head.time_ns);
            let time_unix_ns = head.time_ns.saturating_add(self.node.boot_unix_ns);
            let mut lineage = match process.filter(|_| self.wants_lineage) {
                Some(process) => self.table.lineage(process, self.node.boot_unix_ns),
                None => Vec::new(),
            };
            self.deeds.tell(&mut lineage, time_unix_ns, self.node.boot_unix_ns);
            let mut alert = Alert {
                id: String::new(),
                time_unix_ns,
                rule: about.name.clone(),
                priority: about.priority,
                tags: about.tags.clone().into(),
                tenant: place.tenant.clone(),
                tenant_labels: Arc::clone(&place.tenant_labels),
                identity: place.provenance,
                namespace: told(place, |it| &it.namespace, |it| it.pod_namespace.as_ref()),
                pod: told(place, |it| &it.name, |it| it.pod_name.as_ref()),
                container: place.container_id.clone(),
                peer: None,
                remote: view.remote_end(),
                event: view.event_type().name(),
                process: String::from_utf8_lossy(record.comm()).into_owned(),
                pid: head.tgid,
                lineage,
                message: String::from_utf8_lossy(&message).into_owned(),
                repeats: 0,
                text: Vec::new(),
                json: Vec::new(),
            };
            let line = output::Alert {
                rule: about,
                output: written,
                event: &view,
                settings: &self.settings,
            };
            line.write_text(&mut self.buffers, &mut alert.text);
            line.write_json(&mut self.buffers, &mut alert.json);
            match verdict {
                Verdict::Write => {
                    self.counts.alerts += 1;
                    alerts(alert);
                }
                Verdict::Keep => {
                    self.counts.repeats += 1;
                    self.repeats.keep(likeness, alert);
                }
            }
        }
        self.previous_ns = head.time_ns;
    }
}

/// What is known of a pod: from the cluster, or else from the runtime.
fn told(
    place: &Place,
    by_cluster: fn(&PodFacts) -> &String,
    by_runtime: fn(&ContainerFacts) -> Option<&String>,
) -> Option<String> {
    let pod = place.pod.as_deref().map(by_cluster);
    pod.or_else(|| by_runtime(place.facts.as_deref()?)).cloned()
}

/// Alerts that say the same are alike. The hash has fixed keys: a recording gives the
/// same groups.
fn likeness(rule: &str, tenant: &str, message: &[u8]) -> Likeness {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, rule, tenant, message).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    Likeness(half(1) << 64 | half(2))
}
