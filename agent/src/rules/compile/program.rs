//! What a rule set is compiled to.

use std::collections::HashMap;
use std::net::IpAddr;

use super::check::{CheckKey, TestKey, TextTest, shape};
use super::estimate::Estimates;
use super::event_types::EventTypes;
use super::graph::{Edge, Graph, Node};
use super::hosts::{HostSets, Hosts};
use super::lower::lower;
use super::needs::Needs;
use super::plan::{Choice, Guard, Plan};
use super::single::Single;
use super::texts::{Equal, Prefixes, Substrings, Suffixes, at, index};
use crate::rules::event::FieldRef;
use crate::rules::event_type::EventType;
use crate::rules::field::Shape;
use crate::rules::rule::Matching;
use crate::rules::typed::{self, Comparison, Condition, Operand};

/// A compiled rule set. It does not change while it is evaluated, so threads share
/// one; each has a [`Scratch`](crate::rules::evaluate::Scratch) of its own.
#[derive(Debug)]
pub struct Program {
    pub(crate) matching: Matching,
    /// For each type of event its plan, if a rule can match it.
    pub(crate) plan_of: Box<[Option<u32>]>,
    pub(crate) plans: Vec<Plan>,
    /// Words of the largest set of rules of a plan.
    pub(crate) words: usize,
    pub(crate) nodes: Vec<Code>,
    pub(crate) children: Vec<Edge>,
    pub(crate) tables: Vec<(Source, Table)>,
    pub(crate) singles: Vec<(Source, Single)>,
    pub(crate) pairs: Vec<Pairing>,
    pub(crate) exists: Vec<Source>,
    pub(crate) hosts: Hosts,
}

/// How a node is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Code {
    /// It holds.
    True,
    /// The source of that number has a value.
    Exists(u32),
    /// The table of that number answers it.
    Table(u32),
    /// The test of that number does.
    Single(u32),
    /// The comparison of that number does.
    Pair(u32),
    /// All of these children hold, from and to.
    And(u32, u32),
    /// No rule needs it.
    Unused,
}

/// What answers all comparisons of one kind with one operand.
#[derive(Debug)]
pub(crate) enum Table {
    Equal(Equal),
    Prefixes(Prefixes),
    Suffixes(Suffixes),
    Substrings(Substrings),
}

/// A comparison of two values of the same event.
#[derive(Debug)]
pub(crate) struct Pairing {
    pub(crate) left: Operand,
    pub(crate) right: Operand,
    pub(crate) test: PairTest,
}

/// How two values of the same event are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PairTest {
    /// So; every value on the left has to pass, or one.
    Compare { operator: Comparison, every: bool },
    /// The values on the left, every one or one, are among those on the right.
    Among { every: bool },
}

/// Where the values of an operand come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A field; whether it may have more than one value.
    Field { field: FieldRef, several: bool },
    /// Transformers of fields.
    Made(Operand),
}

impl Program {
    /// Compiles conditions, given in load order with the number by which a match
    /// names them. Takes time and memory in proportion to what they say.
    #[must_use]
    pub fn new(conditions: &[(usize, &Condition)], matching: Matching) -> Self {
        let mut graph = Graph::new();
        let mut rules_of: Vec<Vec<(usize, Edge)>> = vec![Vec::new(); EventType::COUNT];
        for (rule, condition) in conditions {
            for (event_type, edge) in lower(condition, &mut graph) {
                let rules = &mut rules_of[event_type.index()];
                // Behind a rule that always holds nothing else is ever first.
                let last = rules.last().map(|(_, edge)| *edge);
                let shadowed = matching == Matching::First && last == Some(Edge::TRUE);
                if edge != Edge::FALSE && !shadowed {
                    rules.push((*rule, edge));
                }
            }
        }
        let estimates = Estimates::new(&mut graph);
        let mut program = Self {
            matching,
            plan_of: vec![None; EventType::COUNT].into(),
            plans: Vec::new(),
            words: 0,
            nodes: Vec::new(),
            children: Vec::new(),
            tables: Vec::new(),
            singles: Vec::new(),
            pairs: Vec::new(),
            exists: Vec::new(),
            hosts: Hosts::default(),
        };
        let needs = Needs::new(&graph);
        program.plan(&rules_of, &Choice { graph: &graph, estimates: &estimates, needs: &needs });
        program.emit(&graph);
        program
    }

    /// The types of events that a rule can match; events of other types need not
    /// be evaluated, nor made.
    #[must_use]
    pub fn event_types(&self) -> EventTypes {
        EventType::all().filter(|one| self.plan_of[one.index()].is_some()).collect()
    }

    /// How many rules are asked about events of a type.
    #[must_use]
    pub fn rules_for(&self, event_type: EventType) -> usize {
        let plan = self.plan_of[event_type.index()];
        plan.map_or(0, |plan| self.plans[at(plan)].rules.len())
    }

    /// The hosts whose addresses the rules compare with, each once. Until
    /// [`set_addresses`](Self::set_addresses) is called nothing equals them.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        self.hosts.names()
    }

    /// Says which addresses a host has now. Names that no rule has are ignored.
    pub fn set_addresses(&mut self, host: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.hosts.set(host, addresses);
    }

    /// Makes a plan for every type of event; types with the same rules share one.
    fn plan(&mut self, rules_of: &[Vec<(usize, Edge)>], choice: &Choice<'_>) {
        let mut known: HashMap<&[(usize, Edge)], u32> = HashMap::new();
        for (event_type, rules) in rules_of.iter().enumerate() {
            if rules.is_empty() {
                continue;
            }
            let plan = *known.entry(rules).or_insert_with(|| {
                self.plans.push(Plan::new(rules, choice));
                index(self.plans.len() - 1)
            });
            self.plan_of[event_type] = Some(plan);
        }
        self.words = self.plans.iter().map(Plan::words).max().unwrap_or(0);
    }

    /// Turns the part of the graph that a plan needs into code.
    fn emit(&mut self, graph: &Graph) {
        let used = self.used(graph);
        let mut groups: HashMap<(u32, TextTest), Vec<u32>> = HashMap::new();
        let mut hosts = HostSets::default();
        let source = |operand: u32| Source::new(graph.literals().operand(operand));
        for (number, node) in graph.nodes().iter().enumerate() {
            let code = match node {
                _ if !used[number] => Code::Unused,
                Node::True => Code::True,
                Node::And(range) => {
                    let first = index(self.children.len());
                    self.children.extend_from_slice(graph.children(range));
                    Code::And(first, index(self.children.len()))
                }
                Node::Check(check) => {
                    let key = &graph.checks()[at(*check)];
                    match &key.test {
                        TestKey::Exists => {
                            self.exists.push(source(key.operand));
                            Code::Exists(index(self.exists.len() - 1))
                        }
                        TestKey::Other(test) => self.other(key.operand, test, graph, &mut hosts),
                        // Known when all are gathered.
                        TestKey::Texts(test, _) => {
                            groups.entry((key.operand, *test)).or_default().push(index(number));
                            Code::Unused
                        }
                    }
                }
            };
            self.nodes.push(code);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable();
        for ((operand, test), nodes) in groups {
            let code = Code::Table(index(self.tables.len()));
            nodes.iter().for_each(|node| self.nodes[at(*node)] = code);
            self.tables.push((source(operand), table(test, &nodes, graph)));
        }
        for guard in self.plans.iter_mut().flat_map(|plan| &mut plan.guards) {
            let Guard::Texts(nodes) = guard else { continue };
            for (table, node) in nodes {
                if let Code::Table(number) = self.nodes[at(*node)] {
                    *table = number;
                }
            }
        }
        self.hosts = Hosts::new(hosts);
    }

    /// Which nodes a plan leads to.
    fn used(&self, graph: &Graph) -> Vec<bool> {
        let mut used = vec![false; graph.nodes().len()];
        for rule in self.plans.iter().flat_map(|plan| &plan.rules) {
            used[rule.edge.node()] = true;
        }
        for (number, node) in graph.nodes().iter().enumerate().rev() {
            if let (true, Node::And(range)) = (used[number], node) {
                graph.children(range).iter().for_each(|edge| used[edge.node()] = true);
            }
        }
        used
    }

    fn other(
        &mut self,
        operand: u32,
        test: &typed::Test,
        graph: &Graph,
        hosts: &mut HostSets,
    ) -> Code {
        let operand = graph.literals().operand(operand);
        let left = shape(operand);
        let (right, test) = match test {
            typed::Test::Operand { operator, right } => {
                let every = left == Shape::Ends && *operator == Comparison::Ne;
                (right, PairTest::Compare { operator: *operator, every })
            }
            typed::Test::InOperand { intersects, right } => {
                (right, PairTest::Among { every: left == Shape::List && !intersects })
            }
            literals => {
                self.singles.push((Source::new(operand), Single::new(literals, left, hosts)));
                return Code::Single(index(self.singles.len() - 1));
            }
        };
        let (left, right) = (operand.clone(), right.clone());
        self.pairs.push(Pairing { left, right, test });
        Code::Pair(index(self.pairs.len() - 1))
    }
}

impl Source {
    fn new(operand: &Operand) -> Self {
        match operand {
            Operand::Field(field) => {
                Self::Field { field: field.clone(), several: field.shape() != Shape::One }
            }
            made => Self::Made(made.clone()),
        }
    }
}

/// The table of all checks of one group.
fn table(test: TextTest, nodes: &[u32], graph: &Graph) -> Table {
    let mut pairs = Vec::new();
    for node in nodes {
        let Node::Check(check) = graph.nodes()[at(*node)] else { continue };
        let key: &CheckKey = &graph.checks()[at(check)];
        let TestKey::Texts(_, literals) = &key.test else { continue };
        pairs.extend(literals.iter().map(|literal| (graph.literals().text(*literal), *node)));
    }
    match test {
        TextTest::Equal => Table::Equal(Equal::new(pairs)),
        TextTest::Prefix => Table::Prefixes(Prefixes::new(pairs)),
        TextTest::Suffix => Table::Suffixes(Suffixes::new(pairs)),
        TextTest::Substring => Table::Substrings(Substrings::new(pairs, false)),
        TextTest::FoldedSubstring => Table::Substrings(Substrings::new(pairs, true)),
    }
}
