//! argon2id (RFC 9106), its cost and its memory.

use argon2::password_hash::{Error, phc, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// 19 MiB, 2 passes and 1 lane: the least of OWASP's Password Storage Cheat Sheet for argon2id.
const COST: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(cost) => cost,
    Err(_) => Params::DEFAULT,
};

/// Blocks of 1 KiB from which on glibc takes memory straight from the system and gives it straight back (mallopt(3),
/// `M_MMAP_THRESHOLD`, at most 32 MiB). Less than that would stay with each thread that has ever hashed. What is asked for
/// and not touched costs nothing.
const GIVEN_BACK: usize = 33 * 1024;

/// The hash of a password under a new random salt, as a PHC string.
pub(super) fn hash(password: &[u8]) -> Result<String, Error> {
    let salt = try_generate_salt().map_err(|_| Error::RngFailure)?;
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(&COST)?,
        salt: Some(phc::Salt::new(&salt)?),
        hash: Some(compute(password, &salt, COST)?),
    };
    Ok(hash.to_string())
}

/// Whether a password has this hash; the cost is the one that the hash was made with.
pub(super) fn fits(password: &[u8], hash: &str) -> Result<bool, Error> {
    let hash = phc::PasswordHash::new(hash)?;
    if hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(Version::V0x13.into()) {
        return Err(Error::Algorithm);
    }
    let (salt, output) = (hash.salt.ok_or(Error::SaltInvalid)?, hash.hash.ok_or(Error::OutputSize)?);
    // Compared in constant time, as outputs always are.
    Ok(compute(password, &salt, Params::try_from(&hash)?)? == output)
}

fn compute(password: &[u8], salt: &[u8], cost: Params) -> Result<phc::Output, Error> {
    let blocks = cost.block_count();
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK));
    memory.resize(blocks, Block::new());
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = &mut output[..cost.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
    argon2id.hash_password_into_with_memory(password, salt, output, &mut memory)?;
    Ok(phc::Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;

    use super::*;

    #[test]
    fn the_librarys_own_verifier_agrees() {
        let hash = phc::PasswordHash::new(&hash(b"password").unwrap()).unwrap();
        assert!(Argon2::default().verify_password(b"password", &hash).is_ok());
        assert!(Argon2::default().verify_password(b"passwort", &hash).is_err());
    }

    #[test]
    fn a_hash_of_another_cost_is_compared_at_that_cost() {
        let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        let output = compute(b"password", b"somesalt", Params::new(64, 1, 1, Some(32)).unwrap()).unwrap();
        assert!(fits(b"password", &format!("{hash}{output}")).unwrap());
    }

    #[test]
    fn what_is_no_argon2id_hash_is_an_error_and_not_a_wrong_password() {
        for wrong in [
            "",
            "no hash",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHQ",
        ] {
            assert!(fits(b"password", wrong).is_err(), "{wrong}");
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
                    hash(b"password").unwrap();
                    hash(b"password").unwrap();
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
