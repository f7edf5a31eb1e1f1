//! Random lives against a model that keeps everything and looks through all of it.

use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::{call, exec, exit, fork, head, proc_facts};
use crate::process::{Limits, ProcessFacts, Table};

const LIMITS: Limits = Limits { max_processes: 24, max_bytes: 24 * 1500 };
/// Starts are this far apart, so that each is in a tick of its own.
const STEP_NS: u64 = 200_000_000;

/// What happens next; the number picks one of the processes.
#[derive(Clone, Copy, Debug)]
enum Act {
    Fork(usize),
    ForkOfId(usize, u32),
    Exec(usize),
    Exit(usize),
    Adopted(usize),
    /// `/proc` is read now and put in now, even of one that ended.
    Insert(usize),
    Sweep,
}

fn act() -> impl Strategy<Value = Act> {
    let one = || any::<usize>();
    prop_oneof![
        4 => one().prop_map(Act::Fork),
        1 => (one(), 2..12_u32).prop_map(|(one, pid)| Act::ForkOfId(one, pid)),
        3 => one().prop_map(Act::Exec),
        3 => one().prop_map(Act::Exit),
        1 => one().prop_map(Act::Adopted),
        2 => one().prop_map(Act::Insert),
        1 => proptest::strategy::Just(Act::Sweep),
    ]
}

/// A process of the model: its parent by place in the list.
#[derive(Clone, Debug)]
struct Life {
    pid: u32,
    start_ns: u64,
    parent: usize,
    name: String,
    lives: bool,
}

#[derive(Debug)]
struct World {
    lives: Vec<Life>,
    time_ns: u64,
}

impl World {
    fn new() -> Self {
        let init = Life { pid: 1, start_ns: 0, parent: 0, name: "init".into(), lives: true };
        Self { lives: vec![init], time_ns: 1 }
    }

    /// One of the living.
    fn pick(&self, one: usize) -> usize {
        let living: Vec<_> = (0..self.lives.len()).filter(|at| self.lives[*at].lives).collect();
        living[one % living.len()]
    }

    fn head(&self, at: usize) -> landlord_ebpf::abi::Head {
        let life = &self.lives[at];
        let parent = if at == 0 { 0 } else { self.lives[life.parent].pid };
        super::named(head(life.pid, life.start_ns, parent, self.time_ns), &life.name)
    }

    fn step(&mut self, act: Act, table: &mut Table) {
        self.time_ns += STEP_NS;
        match act {
            Act::Fork(one) => self.fork(one, 100 + u32::try_from(self.lives.len()).unwrap(), table),
            Act::ForkOfId(one, pid) => self.fork(one, pid, table),
            Act::Exec(one) => {
                let at = self.pick(one);
                self.lives[at].name = format!("p{}", self.time_ns / STEP_NS);
                let name = self.lives[at].name.clone();
                let argv = format!("{name}\0{}\0", "x".repeat(one % 200));
                table.apply(&exec(self.head(at), &name, &argv, &name));
            }
            Act::Exit(one) => {
                let at = self.pick(one);
                if at == 0 {
                    return;
                }
                self.lives[at].lives = false;
                let mut record = exit(0, 0, 0, 0);
                record.head = self.head(at);
                table.apply(&record);
                // Its children are init's now.
                for life in &mut self.lives {
                    if life.lives && life.parent == at {
                        life.parent = 0;
                    }
                }
            }
            Act::Adopted(one) => {
                let at = self.pick(one);
                table.apply(&call(self.head(at)));
            }
            Act::Insert(one) => {
                let at = one % self.lives.len();
                let life = &self.lives[at];
                // One that ended so long ago that the table forgot it is not read any more.
                if !life.lives && table.get(life.pid, life.start_ns).is_none() {
                    return;
                }
                let parent = self.head(at).parent;
                let argv = format!("{}\0", life.name);
                table.insert(proc_facts(life.pid, life.start_ns, parent, &argv));
            }
            Act::Sweep => table.sweep(self.time_ns),
        }
    }

    fn fork(&mut self, one: usize, pid: u32, table: &mut Table) {
        if self.lives.iter().any(|life| life.lives && life.pid == pid) {
            return;
        }
        let parent = self.pick(one);
        let name = self.lives[parent].name.clone();
        self.lives.push(Life { pid, start_ns: self.time_ns, parent, name, lives: true });
        let mut record = fork(0, 0, 0);
        record.head = self.head(self.lives.len() - 1);
        table.apply(&record);
    }

    /// Every process of the table is one of the model, and its parent is the one that the
    /// model has, or was before it ended.
    fn check(&self, table: &Table) -> Result<(), TestCaseError> {
        let stats = table.stats();
        prop_assert!(stats.processes <= LIMITS.max_processes, "{stats:?}");
        prop_assert!(stats.bytes <= LIMITS.max_bytes, "{stats:?}");
        for facts in table.snapshot() {
            let process = table.get(facts.pid, facts.start_ns).unwrap();
            let life = self.lives.iter().find(|life| {
                life.pid == facts.pid && life.start_ns / STEP_NS == facts.start_ns / STEP_NS
            });
            let life = life.unwrap();
            if life.lives && process.facts.start_ns == life.start_ns {
                prop_assert_eq!(process.exited_ns, None);
                prop_assert_eq!(&*facts.comm, life.name.as_bytes());
            }
            if let Some(parent) = table.parent(process) {
                let true_parent = &self.lives[life.parent];
                let is_true = parent.facts.pid == true_parent.pid
                    && parent.facts.start_ns / STEP_NS == true_parent.start_ns / STEP_NS;
                prop_assert!(
                    is_true || parent.exited_ns.is_some() || !life.lives,
                    "{life:?} {parent:?}"
                );
            }
            prop_assert!(table.ancestors(process).count() <= 64);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn table_agrees_with_the_model(acts in proptest::collection::vec(act(), 0..120)) {
        let (mut world, mut table) = (World::new(), Table::new(LIMITS));
        table.insert(proc_facts(1, 0, 0, "init\0"));
        for act in acts {
            world.step(act, &mut table);
            world.check(&table)?;
        }
        // When all have ended nothing stays, and nothing is counted.
        for at in 0..world.lives.len() {
            let mut record = exit(0, 0, 0, 0);
            record.head = world.head(at);
            table.apply(&record);
        }
        table.sweep(u64::MAX);
        prop_assert_eq!((table.stats().processes, table.stats().bytes), (0, 0));
    }

    /// With room for all, ancestry is exactly the model's.
    #[test]
    fn ancestry_is_exact_with_room_for_all(acts in proptest::collection::vec(act(), 0..120)) {
        let (mut world, mut table) = (World::new(), Table::new(Limits::default()));
        table.insert(proc_facts(1, 0, 0, "init\0"));
        for act in acts {
            if !matches!(act, Act::Sweep) {
                world.step(act, &mut table);
            }
        }
        for at in 0..world.lives.len() {
            table.apply(&call(world.head(at)));
        }
        prop_assert_eq!(table.stats().evicted_total, 0);
        for at in (0..world.lives.len()).filter(|at| world.lives[*at].lives) {
            let life = &world.lives[at];
            let process = table.get(life.pid, life.start_ns).unwrap();
            let mut expected = Vec::new();
            let mut above = at;
            while above != 0 {
                above = world.lives[above].parent;
                expected.push(world.lives[above].start_ns);
            }
            let found: Vec<_> = table.ancestors(process).map(|it| it.facts.start_ns).collect();
            prop_assert_eq!(found, expected);
        }
    }

    /// Records that no kernel would send do no harm, and the same ones make the same table.
    #[test]
    fn nonsense_is_survived_and_repeatable(
        records in proptest::collection::vec(
            (0..5_usize, 0..6_u32, 0..40_000_000_u64, 0..6_u32, any::<u64>(), 0..6_u64), 0..80)
    ) {
        let run = || {
            let mut table = Table::new(Limits { max_processes: 4, max_bytes: 4000 });
            for &(kind, pid, start, parent, time, maker) in &records {
                let mut it = head(pid, start, parent, time);
                it.args[0] = maker;
                let empty = |kind| crate::event::Record::empty(it, kind);
                use crate::event::RecordKind::{Exit, Fork, Syscall};
                match kind {
                    0 => _ = table.apply(&empty(Fork)),
                    1 => _ = table.apply(&empty(Exit)),
                    2 => _ = table.apply(&empty(Syscall)),
                    3 => _ = table.apply(&exec(it, "x", "x\0y\0", "/x")),
                    _ => _ = table.insert(ProcessFacts { exec_ns: time, ..proc_facts(pid, start, parent, "z\0") }),
                }
                table.sweep(time);
                if let Some(process) = table.find(pid) {
                    let _: usize = table.ancestors(process).count();
                    assert!(table.session_leader(process).is_none());
                }
                assert!(table.stats().processes <= 4 && table.stats().bytes <= 4000);
            }
            for facts in table.snapshot() {
                assert_eq!(&table.get(facts.pid, facts.start_ns).unwrap().facts, facts);
            }
            (table.snapshot().cloned().collect::<Vec<_>>(), table.stats())
        };
        prop_assert_eq!(run(), run());
    }
}
