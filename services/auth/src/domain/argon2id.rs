//! argon2id (RFC 9106), its cost and its memory.

use std::str::FromStr;

use argon2::password_hash::{Error, phc, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    kibibytes: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 19 MiB, 2 passes and 1 lane: the least of OWASP's Password Storage Cheat Sheet for argon2id.
    pub(crate) const TODAY: Self = Self { kibibytes: 19 * 1024, passes: 2, lanes: 1 };

    fn params(self) -> Result<Params, Error> {
        Params::new(self.kibibytes, self.passes, self.lanes, None).map_err(|_| Error::ParamsInvalid)
    }
}

impl From<&Params> for Cost {
    fn from(params: &Params) -> Self {
        Self { kibibytes: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }
}

/// Reads what a PHC string says of its cost: `m=19456,t=2,p=1`.
impl FromStr for Cost {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        cost(&format!("$argon2id$v=19${text}"))
    }
}

/// Blocks of 1 KiB from which on glibc takes memory straight from the system and gives it straight back (mallopt(3),
/// `M_MMAP_THRESHOLD`, at most 32 MiB). Less than that would stay with each thread that has ever hashed. What is asked for
/// and not touched costs nothing.
const GIVEN_BACK: usize = 33 * 1024;

/// The memory of one hash after the other: what the last has left is what the next one writes to, which saves the system's giving
/// it anew, a third of a hash. Empty until it is used.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0 = Vec::with_capacity(count.max(GIVEN_BACK));
            self.0.resize(count, Block::new());
        }
        &mut self.0[..count]
    }
}

/// The hash of a password at this cost and under a new random salt, as a PHC string.
pub(super) fn hash(password: &[u8], cost: Cost, memory: &mut Memory) -> Result<String, Error> {
    let cost = cost.params()?;
    let salt = try_generate_salt().map_err(|_| Error::RngFailure)?;
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(&cost)?,
        salt: Some(phc::Salt::new(&salt)?),
        hash: Some(compute(password, &salt, cost, memory)?),
    };
    Ok(hash.to_string())
}

/// What a hash has cost.
pub(super) fn cost(hash: &str) -> Result<Cost, Error> {
    Ok(Cost::from(&Params::try_from(&phc::PasswordHash::new(hash)?)?))
}

/// Whether a password has this hash; the cost is the one that the hash was made with.
pub(super) fn fits(password: &[u8], hash: &str, memory: &mut Memory) -> Result<bool, Error> {
    let hash = phc::PasswordHash::new(hash)?;
    if hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(Version::V0x13.into()) {
        return Err(Error::Algorithm);
    }
    let (salt, output) = (hash.salt.ok_or(Error::SaltInvalid)?, hash.hash.ok_or(Error::OutputSize)?);
    // Compared in constant time, as outputs always are.
    Ok(compute(password, &salt, Params::try_from(&hash)?, memory)? == output)
}

fn compute(password: &[u8], salt: &[u8], cost: Params, memory: &mut Memory) -> Result<phc::Output, Error> {
    let memory = memory.blocks(cost.block_count());
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = &mut output[..cost.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
    argon2id.hash_password_into_with_memory(password, salt, output, memory)?;
    Ok(phc::Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;

    use super::*;

    #[test]
    fn the_librarys_own_verifier_agrees() {
        let hash = phc::PasswordHash::new(&hash(b"password", Cost::TODAY, &mut Memory::default()).unwrap()).unwrap();
        assert!(Argon2::default().verify_password(b"password", &hash).is_ok());
        assert!(Argon2::default().verify_password(b"passwort", &hash).is_err());
    }

    #[test]
    fn a_hash_of_another_cost_is_compared_at_that_cost() {
        let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        let output =
            compute(b"password", b"somesalt", Params::new(64, 1, 1, Some(32)).unwrap(), &mut Memory::default())
                .unwrap();
        assert!(fits(b"password", &format!("{hash}{output}"), &mut Memory::default()).unwrap());
    }

    #[test]
    fn a_cost_reads_back_what_a_hash_says_of_it() {
        let cost: Cost = "m=64,t=3,p=1".parse().unwrap();
        let hash = hash(b"password", cost, &mut Memory::default()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=3,p=1$"), "{hash}");
        assert_eq!(super::cost(&hash).unwrap(), cost);
        assert_ne!(cost, Cost::TODAY);
        for wrong in ["m=1,t=1,p=1", "m=64,t=0,p=1", "m=x"] {
            assert!(wrong.parse::<Cost>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_argon2id_hash_is_an_error_and_not_a_wrong_password() {
        for wrong in [
            "",
            "no hash",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
        ] {
            assert!(fits(b"password", wrong, &mut Memory::default()).is_err(), "{wrong}");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_memory_of_a_hash_is_given_back_whatever_thread_has_hashed() {
        let resident = || {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').nth(1).unwrap().parse::<i64>().unwrap() / 256
        };
        let before = resident();
        // Threads that stay, as those of a pool do: what they kept would show.
        let (hashed, all) = (std::sync::Barrier::new(9), std::sync::Barrier::new(9));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2 {
                        hash(b"password", Cost::TODAY, &mut Memory::default()).unwrap();
                    }
                    hashed.wait();
                    all.wait();
                });
            }
            hashed.wait();
            let kept = resident() - before;
            all.wait();
            // Eight times 19 would be kept; other tests hash beside this one.
            assert!(kept < 80, "{kept} MiB are kept");
        });
    }
}
