//! Currencies of ISO 4217, with their minor units.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Code;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A currency in which people pay, by its three letters of ISO 4217, such as `EUR`.
///
/// Former ones are among them, for as long as an order in one of them is kept; what the standard lists and nobody pays in
/// (metals, drawing rights, test codes, no currency) is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
pub struct Currency(Known);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Known {
    code: Code,
    minor_digits: u8,
}

impl Currency {
    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.code.code()
    }

    /// How many decimals an amount in minor units has in the currency itself: 1250 is 12.50 EUR (2), 1250 JPY (0) and
    /// 1.250 KWD (3).
    #[must_use]
    pub fn minor_digits(self) -> u8 {
        self.0.minor_digits
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let code = Code::from_code(text)
            .ok_or(Invalid("a currency is the three capital letters of one of ISO 4217, such as EUR"))?;
        match code.exponent().map(u8::try_from) {
            Some(Ok(minor_digits)) if !code.is_special() => Ok(Self(Known { code, minor_digits })),
            _ => Err(Invalid(
                "this code of ISO 4217 is not of money that anybody pays with; a currency is one such as EUR",
            )),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(code: &str) -> u8 {
        code.parse::<Currency>().unwrap().minor_digits()
    }

    #[test]
    fn a_currency_is_one_of_iso_4217_and_nothing_else_is() {
        assert_eq!("EUR".parse::<Currency>().unwrap().as_str(), "EUR");
        for wrong in ["", "eur", "EURO", "EU", "E1R", "€", "ZZZ", "AAA"] {
            let refused = wrong.parse::<Currency>().unwrap_err();
            assert!(refused.to_string().contains("three capital letters"), "{wrong}: {refused}");
        }
    }

    #[test]
    fn codes_in_which_nobody_pays_are_refused_with_their_own_sentence() {
        for wrong in ["XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XUA", "XSU", "XBA"] {
            let refused = wrong.parse::<Currency>().unwrap_err();
            assert!(refused.to_string().contains("not of money"), "{wrong}: {refused}");
        }
    }

    #[test]
    fn each_currency_has_the_minor_units_of_the_standard() {
        assert_eq!(["EUR", "USD", "HUF", "IDR", "XOF"].map(digits), [2, 2, 2, 2, 0]);
        assert_eq!(["JPY", "KRW", "VND", "ISK", "CLP"].map(digits), [0; 5]);
        assert_eq!(["KWD", "BHD", "JOD", "OMR", "TND"].map(digits), [3; 5]);
        assert_eq!(["CLF", "UYW"].map(digits), [4; 2]);
    }

    /// An order that was placed in one of these is read for as long as it is kept, whatever becomes of the currency.
    const ONCE_TAKEN: &str = "\
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
        CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP \
        GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR \
        KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV \
        MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG \
        SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN \
        UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL \
        ";

    #[test]
    fn what_has_been_a_currency_stays_one() {
        for code in ONCE_TAKEN.split_whitespace() {
            assert!(code.parse::<Currency>().is_ok(), "{code}");
        }
    }

    #[test]
    fn in_json_a_currency_is_its_three_letters() {
        let yen: Currency = serde_json::from_str(r#""JPY""#).unwrap();
        assert_eq!(serde_json::to_string(&yen).unwrap(), r#""JPY""#);
        assert!(serde_json::from_str::<Currency>(r#""ZZZ""#).is_err());
    }
}
