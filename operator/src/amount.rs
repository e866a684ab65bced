//! Amounts as Kubernetes writes them: `10Gi`, `500m`, `1e3` (resource.Quantity of its API conventions). Compared here, and never
//! written anew.

/// The amount in thousandths, so that `500m` is whole; `None` where it is no amount, or more than there is.
#[must_use]
pub fn thousandths(text: &str) -> Option<i128> {
    let digits = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "n" | "u" => return Some(i128::from(!number.starts_with('-'))), // less than a thousandth
        "m" => 1,
        "" => 1_000,
        "k" => 1_000_i128.pow(2),
        "M" => 1_000_i128.pow(3),
        "G" => 1_000_i128.pow(4),
        "T" => 1_000_i128.pow(5),
        "P" => 1_000_i128.pow(6),
        "E" => 1_000_i128.pow(7),
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        "Pi" => 1_000_i128 << 50,
        "Ei" => 1_000_i128 << 60,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let factor = 10_i128.checked_pow(power.unsigned_abs().min(30))?;
            return if power < 0 {
                scaled(number, 1_000)?.checked_div(factor)
            } else {
                scaled(number, factor.checked_mul(1_000)?)
            };
        }
    };
    scaled(number, factor)
}

/// A decimal fraction times a whole number, rounded down.
fn scaled(number: &str, factor: i128) -> Option<i128> {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = &fraction[..fraction.len().min(12)];
    let parsed = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok().map(i128::from) };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = parsed(whole)?.checked_mul(factor)?;
    let fraction = parsed(fraction)?.checked_mul(factor)?.checked_div(parts)?;
    whole.checked_add(fraction)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_compare_across_their_units() {
        for (less, more) in [
            ("2047Mi", "2Gi"),
            ("10G", "10Gi"),
            ("500m", "1"),
            ("6442450943", "6Gi"),
            ("1e3", "1.001k"),
            ("0.5Gi", "513Mi"),
            ("999u", "2m"),
            ("-1", "0"),
        ] {
            assert!(thousandths(less).unwrap() < thousandths(more).unwrap(), "{less} {more}");
        }
        for (one, other) in [("2048Mi", "2Gi"), ("6442450944", "6Gi"), ("1e3", "1k"), ("1500m", "1.5"), ("5E9", "5G")] {
            assert_eq!(thousandths(one), thousandths(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for nonsense in ["", "Gi", "ten", "1Xi", ".", "1e", "1.2.3", "--1", "99999999999999999999Ei"] {
            assert_eq!(thousandths(nonsense), None, "{nonsense:?}");
        }
    }
}
