//! Which key the caller of an edge sends, and which ones its callee takes. Pure.
//!
//! A person puts another key into the caller's Secret `<stack>-<caller>-api-keys`; pods read `<stack>-<caller>-edge-keys`, which follows it:
//! the callee hears of the new key first, then the caller sends it, then the callee forgets the old one. Each step waits until the
//! one before has reached every pod, so that no request is refused on the way.

use ecommerce_contract::edges::Edge;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::credentials::sha256;

/// By now a changed Secret is in the files of every pod and was read there: a kubelet looks after a pod once in 60 to 90 s
/// (`syncFrequency`, which is a minute where nobody says otherwise), and a service after its files each 5 s.
pub const REACH: SignedDuration = SignedDuration::from_mins(3);

/// The keys of one edge, each as its SHA-256 in hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EdgeKeys {
    /// What the caller is to send.
    pub present: String,
    /// What it will send once the callee has heard of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What it may still send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When the last step was taken, where another is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// What is there of an edge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// The key that the person has put there, where it is one.
    pub asked: Option<&'a str>,
    /// The one in the Secret that the caller's pods read.
    pub sent: Option<&'a str>,
    /// The file of the callee's pods, as it is in its Secret.
    pub hashes: &'a str,
}

/// The name of an edge in the ledger.
#[must_use]
pub fn title(edge: Edge) -> String {
    format!("{}-{}", edge.caller, edge.callee)
}

impl EdgeKeys {
    /// Those of an edge after one more look; nothing where no key is known.
    #[must_use]
    pub fn after(known: Option<&Self>, seen: &Seen<'_>, now: &Time) -> Option<Self> {
        let (asked, sent) = (seen.asked.map(sha256), seen.sent.map(sha256));
        let mut keys = match known {
            Some(keys) => keys.clone(),
            None => Self { present: sent.clone().or_else(|| asked.clone())?, ..Self::default() },
        };
        if let Some(asked) = asked {
            let is_told = seen.hashes.contains(&asked);
            keys.step(asked, is_told, sent.as_ref(), now);
        }
        Some(keys)
    }

    fn step(&mut self, asked: String, is_told: bool, sent: Option<&String>, now: &Time) {
        let has_reached_all = self.since.as_ref().is_none_or(|since| since.0 + REACH <= now.0);
        if asked == self.present {
            self.next = None;
            if has_reached_all {
                self.previous = None;
            }
        } else if sent != Some(&self.present) {
            // Nobody can tell any more what is in force: somebody has removed or edited the file's Secret as well.
            self.previous = Some(std::mem::replace(&mut self.present, asked));
            self.next = None;
            self.since = Some(now.clone());
        } else if self.next.as_ref() != Some(&asked) || !is_told {
            self.next = Some(asked);
            self.since = Some(now.clone());
        } else if has_reached_all {
            self.next = None;
            self.previous = Some(std::mem::replace(&mut self.present, asked));
            self.since = Some(now.clone());
        }
        if !self.are_changing() {
            self.since = None;
        }
    }

    /// Whether another step is to come.
    #[must_use]
    pub fn are_changing(&self) -> bool {
        self.next.is_some() || self.previous.is_some()
    }

    /// As the callee reads them.
    #[must_use]
    pub fn hashes(&self) -> serde_json::Value {
        json!({"present": self.present, "next": self.next, "previous": self.previous})
    }

    /// Of the key that a person has put there and the one in the file, the one that is in force.
    #[must_use]
    pub fn in_force<'a>(&self, asked: &'a str, sent: &'a str) -> Option<&'a str> {
        [asked, sent].into_iter().find(|key| !key.is_empty() && sha256(key) == self.present)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    const OLD: &str = "the old key";
    const NEW: &str = "the new key";

    /// An edge, as the ledger, the caller's file and the callee's are, and the files as the slowest pod has them.
    struct Shop {
        keys: Option<EdgeKeys>,
        sent: Option<String>,
        hashes: String,
        at: Timestamp,
    }

    impl Shop {
        fn with(key: &str) -> Self {
            let mut shop = Self { keys: None, sent: None, hashes: String::new(), at: Timestamp::UNIX_EPOCH };
            shop.look(Some(key));
            shop
        }

        fn look(&mut self, asked: Option<&str>) -> EdgeKeys {
            let keys = self.decide(asked);
            self.hashes = serde_json::to_string(&keys).unwrap();
            let sent = keys.in_force(asked.unwrap_or_default(), self.sent.as_deref().unwrap_or_default());
            self.sent = sent.map(str::to_owned).or(self.sent.take());
            self.keys = Some(keys.clone());
            keys
        }

        fn decide(&self, asked: Option<&str>) -> EdgeKeys {
            let seen = Seen { asked, sent: self.sent.as_deref(), hashes: &self.hashes };
            EdgeKeys::after(self.keys.as_ref(), &seen, &Time(self.at)).unwrap()
        }

        fn wait(&mut self, time: SignedDuration) {
            self.at += time;
        }
    }

    fn keys(present: &str, next: Option<&str>, previous: Option<&str>, since: Option<Timestamp>) -> EdgeKeys {
        EdgeKeys {
            present: sha256(present),
            next: next.map(sha256),
            previous: previous.map(sha256),
            since: since.map(Time),
        }
    }

    #[test]
    fn a_key_that_nobody_knows_yet_is_in_force_at_once() {
        let mut shop = Shop::with(OLD);
        assert_eq!(shop.keys, Some(keys(OLD, None, None, None)));
        shop.wait(REACH);
        assert_eq!(shop.look(Some(OLD)), keys(OLD, None, None, None), "and nothing is written again");
    }

    #[test]
    fn another_key_is_told_before_it_is_sent_and_the_old_one_forgotten_last() {
        let mut shop = Shop::with(OLD);
        let told = shop.at;
        assert_eq!(shop.look(Some(NEW)), keys(OLD, Some(NEW), None, Some(told)));
        assert_eq!(shop.sent.as_deref(), Some(OLD));
        shop.wait(REACH - SignedDuration::from_secs(1));
        assert_eq!(shop.look(Some(NEW)), keys(OLD, Some(NEW), None, Some(told)));
        shop.wait(SignedDuration::from_secs(1));
        assert_eq!(shop.look(Some(NEW)), keys(NEW, None, Some(OLD), Some(shop.at)));
        assert_eq!(shop.sent.as_deref(), Some(NEW));
        shop.wait(REACH);
        assert_eq!(shop.look(Some(NEW)), keys(NEW, None, None, None));
    }

    #[test]
    fn a_key_is_not_sent_before_its_callee_could_be_told() {
        let mut shop = Shop::with(OLD);
        let refused = shop.hashes.clone();
        shop.look(Some(NEW));
        refused.clone_into(&mut shop.hashes);
        shop.wait(REACH * 2);
        assert_eq!(shop.look(Some(NEW)), keys(OLD, Some(NEW), None, Some(shop.at)));
        shop.wait(REACH);
        assert_eq!(shop.look(Some(NEW)).present, sha256(NEW));
    }

    #[test]
    fn a_change_that_is_taken_back_leaves_no_trace() {
        let mut shop = Shop::with(OLD);
        shop.look(Some(NEW));
        assert_eq!(shop.look(Some(OLD)), keys(OLD, None, None, None));
    }

    #[test]
    fn a_key_that_is_lost_leaves_everything_as_it_is() {
        let mut shop = Shop::with(OLD);
        let told = shop.look(Some(NEW));
        shop.wait(REACH * 2);
        assert_eq!(shop.look(None), told);
        assert_eq!(shop.sent.as_deref(), Some(OLD));
    }

    #[test]
    fn a_ledger_that_was_lost_goes_on_from_what_the_pods_send() {
        let mut shop = Shop::with(OLD);
        shop.keys = None;
        assert_eq!(shop.look(Some(NEW)), keys(OLD, Some(NEW), None, Some(shop.at)));
    }

    #[test]
    fn where_the_key_in_force_is_gone_the_new_one_is_it_and_the_old_one_still_opens() {
        let mut shop = Shop::with(OLD);
        shop.look(Some(NEW));
        shop.sent = None;
        assert_eq!(shop.look(Some(NEW)), keys(NEW, None, Some(OLD), Some(shop.at)));
        assert_eq!(shop.sent.as_deref(), Some(NEW));
    }

    /// Whatever a person does and however often the operator looks, what the slowest caller sends, the slowest callee takes.
    #[test]
    fn no_request_is_refused_while_keys_change() {
        use rand::rngs::StdRng;
        use rand::{RngExt as _, SeedableRng as _};
        for seed in 0..200 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut shop = Shop::with("key 0");
            let mut asked = "key 0".to_owned();
            // What was in either file, and since when.
            let mut files: Vec<(Timestamp, String, EdgeKeys)> = Vec::new();
            for look in 0..60 {
                if random.random_bool(0.3) {
                    asked = format!("key {}", random.random_range(0..4));
                }
                let keys = shop.look(Some(&asked));
                files.push((shop.at, shop.sent.clone().unwrap(), keys));
                shop.wait(SignedDuration::from_secs(random.random_range(1..150)));
                // A pod has some state of the files from the last three minutes on, each of the two for itself.
                let oldest = shop.at - REACH;
                let from = files.iter().rposition(|(at, ..)| *at <= oldest).unwrap_or(0);
                for (_, sent, _) in &files[from..] {
                    for (_, _, taken) in &files[from..] {
                        let hash = Some(sha256(sent));
                        assert!(
                            hash.as_ref() == Some(&taken.present) || hash == taken.next || hash == taken.previous,
                            "seed {seed}, look {look}: {sent} is refused"
                        );
                    }
                }
            }
        }
    }
}
