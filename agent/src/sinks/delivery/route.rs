//! Which alerts a sink gets.

use regex::RegexSet;

use super::{Message, Share};

/// What an alert must be for a sink to get it. The default takes all.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The least urgent priority: 0 (emergency) to 7 (debug); `None`: any.
    pub priority: Option<u8>,
    /// It has one of these tags; any when empty.
    pub tags: Vec<String>,
    /// Its tenant's whole name is one of these; any when there is none.
    pub tenants: Option<RegexSet>,
    /// Of these, so many.
    pub share: Share,
}

impl PartialEq for Route {
    /// The same by the same words.
    fn eq(&self, other: &Self) -> bool {
        let Self { priority, tags, tenants, share } = self;
        let patterns =
            |tenants: &Option<RegexSet>| tenants.as_ref().map(|it| it.patterns().to_vec());
        (priority, tags, share) == (&other.priority, &other.tags, &other.share)
            && patterns(tenants) == patterns(&other.tenants)
    }
}

impl Route {
    /// Whether an alert is among those that are chosen by chance.
    #[must_use]
    pub fn chooses(&self, message: &Message) -> bool {
        self.share.takes(&message.id, message.priority)
    }

    /// Whether an alert goes this way, unless it is not chosen.
    #[must_use]
    pub fn takes(&self, message: &Message) -> bool {
        self.priority.is_none_or(|least| message.priority <= least)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| message.tags.contains(tag)))
            && self.tenants.as_ref().is_none_or(|tenants| tenants.is_match(&message.tenant))
    }
}

#[cfg(test)]
mod tests {
    use regex::RegexSet;

    use super::super::message::tests::message;
    use super::Route;

    #[track_caller]
    fn check(route: &Route, expected: bool) {
        assert_eq!(route.takes(&message(1)), expected, "{route:?}");
    }

    #[test]
    fn each_condition_must_hold() {
        let tenants = |pattern| Some(RegexSet::new([pattern]).unwrap());
        check(&Route::default(), true);
        check(&Route { priority: Some(5), ..Route::default() }, true);
        check(&Route { priority: Some(4), ..Route::default() }, false);
        check(&Route { tags: vec!["x".to_owned(), "shell".to_owned()], ..Route::default() }, true);
        check(&Route { tags: vec!["x".to_owned()], ..Route::default() }, false);
        check(&Route { tenants: tenants("^acme$"), ..Route::default() }, true);
        check(&Route { tenants: tenants("^globex$"), ..Route::default() }, false);
        check(&Route { priority: Some(0), tenants: tenants("acme"), ..Route::default() }, false);
    }
}
