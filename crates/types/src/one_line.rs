//! Text on one line, such as a name: what it may hold, so that a reader sees all of it and where it stands.
//!
//! Refused are control and format characters (Unicode's categories Cc and Cf), line and paragraph separators (Zl, Zp), and
//! whatever else is shown as nothing (`Default_Ignorable_Code_Point`): they hide a difference between two names, cut a line of
//! a list in two, or turn around what stands beside them. Some of these are part of how people are called, and pass where they
//! change what is seen:
//!
//! - The joiners U+200C and U+200D, and Mongolian's separator U+180E, after a letter of a script whose letters join (Arabic and
//!   its neighbours), and beside a virama (the scripts of India and Sri Lanka). It is the rule of RFC 5892, appendix A, and a
//!   little more, since names are typed and domain names are registered.
//! - U+200D also between two pictures, which become one.
//! - A variation selector after the character whose form it selects, as in a Japanese family's way to write its name.

use icu_properties::props::{
    BinaryProperty as _, CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, EnumeratedProperty as _,
    ExtendedPictographic, GeneralCategory, JoiningType, VariationSelector,
};

const ZERO_WIDTH_JOINER: char = '\u{200d}';
/// Zero width non-joiner, zero width joiner, Mongolian vowel separator.
const JOINERS: [char; 3] = ['\u{200c}', ZERO_WIDTH_JOINER, '\u{180e}'];

/// The text without the spaces around it, when it is one line of 1 to `longest` characters that can be seen.
#[must_use]
pub fn one_line(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let fits = (1..=longest).contains(&text.chars().count()) && is_printable(text);
    fits.then(|| text.to_owned())
}

/// Whether each character shows, or changes how its neighbour shows.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    text.char_indices().all(|(at, character)| {
        let (before, after) = (&text[..at], &text[at + character.len_utf8()..]);
        if JOINERS.contains(&character) {
            joins(before, after) || (character == ZERO_WIDTH_JOINER && joins_pictures(before, after))
        } else if VariationSelector::for_char(character) {
            before.chars().next_back().is_some_and(has_form)
        } else {
            !is_hidden(character)
        }
    })
}

fn is_hidden(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    matches!(GeneralCategory::for_char(character), Control | Format | LineSeparator | ParagraphSeparator)
        || DefaultIgnorableCodePoint::for_char(character)
}

/// Whether a joiner between these changes how letters are drawn.
fn joins(before: &str, after: &str) -> bool {
    let is_virama = |character: char| CanonicalCombiningClass::for_char(character) == CanonicalCombiningClass::Virama;
    let mut letters = before.chars().rev().filter(|mark| JoiningType::for_char(*mark) != JoiningType::Transparent);
    let letter = letters.next().map(JoiningType::for_char);
    matches!(letter, Some(JoiningType::DualJoining | JoiningType::LeftJoining | JoiningType::RightJoining))
        || before.chars().next_back().is_some_and(is_virama)
        || after.chars().next().is_some_and(is_virama)
}

fn joins_pictures(before: &str, after: &str) -> bool {
    let ends_a_picture = |character: char| {
        ExtendedPictographic::for_char(character)
            || EmojiModifier::for_char(character)
            || VariationSelector::for_char(character)
    };
    before.chars().next_back().is_some_and(ends_a_picture)
        && after.chars().next().is_some_and(ExtendedPictographic::for_char)
}

/// Whether there is something of which a variation selector selects the form.
fn has_form(character: char) -> bool {
    !character.is_whitespace() && !is_hidden(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_people_and_things_are_called_is_a_line() {
        for right in [
            "Ada Lovelace",
            "Jean-Luc d'Été",
            "Zo\u{eb}",   // Zoë in one character
            "Zoe\u{308}", // and in two
            "O’Brien & Söhne – 50% / “sale”",
            "李小龍",
            "葛\u{e0100}城", // the form of the first character that this family writes
            "محمد عبد الله",
            "שרה כהן",
            "Нина Хахова",
            "สมชาย",
            "🐎 Größe 4½ ©",
            "👩\u{200d}🔬", // a scientist: a woman and a microscope, joined
            "👩🏽\u{200d}🔬",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}",
        ] {
            assert_eq!(one_line(right, 100).as_deref(), Some(right));
        }
    }

    /// The joiners change what is written in these scripts: without them the names are misspelt.
    #[test]
    fn joiners_stand_where_a_script_needs_them() {
        for right in [
            "علی\u{200c}رضا",                  // Persian: Ali-Reza, whose two halves are not joined
            "می\u{200c}خواهم",                 // Persian
            "هه\u{200c}ڵه\u{200c}بجه\u{200c}", // Kurdish: Halabja, as it is often typed
            "ශ්\u{200d}රී ලංකා",                  // Sinhala: Sri Lanka
            "क्\u{200d}ष",                      // Devanagari: half a ka and a sha
            "র\u{200d}্যাচেল",                   // Bengali: Rachel
            "അവന്\u{200d}",                     // Malayalam: an old way to write its last letter
            "ᠨᠠᠭᠠᠨ\u{180e}ᠠ",                  // Mongolian: the separator before a last vowel
        ] {
            assert_eq!(one_line(right, 100).as_deref(), Some(right), "{}", right.escape_unicode());
        }
        for wrong in [
            "A\u{200c}da",
            "\u{200d}Ada",
            "Ada\u{200d}",
            "Ада\u{200c}м",
            "علی\u{200c}\u{200c}رضا",
            "👩\u{200d}a",
            "李\u{200d}龍",
        ] {
            assert_eq!(one_line(wrong, 100), None, "{}", wrong.escape_unicode());
        }
    }

    #[test]
    fn what_nobody_sees_or_what_turns_the_line_around_is_refused() {
        for (wrong, name) in [
            ('\0', "nul"),
            ('\n', "line feed"),
            ('\u{1b}', "escape"),
            ('\u{85}', "next line"),
            ('\u{ad}', "soft hyphen"),
            ('\u{34f}', "combining grapheme joiner"),
            ('\u{61c}', "Arabic letter mark"),
            ('\u{115f}', "Hangul filler"),
            ('\u{3164}', "Hangul filler"),
            ('\u{180e}', "Mongolian vowel separator"),
            ('\u{200b}', "zero width space"),
            ('\u{200e}', "left-to-right mark"),
            ('\u{200f}', "right-to-left mark"),
            ('\u{2028}', "line separator"),
            ('\u{2029}', "paragraph separator"),
            ('\u{202a}', "left-to-right embedding"),
            ('\u{202e}', "right-to-left override"),
            ('\u{2060}', "word joiner"),
            ('\u{2066}', "left-to-right isolate"),
            ('\u{2069}', "pop directional isolate"),
            ('\u{feff}', "byte order mark"),
            ('\u{fff9}', "interlinear annotation"),
            ('\u{e0041}', "tag"),
        ] {
            for text in [format!("Ada{wrong}Lovelace"), format!("a {wrong}b"), format!("ada{wrong}.")] {
                assert_eq!(one_line(&text, 100), None, "{name}: {}", text.escape_unicode());
            }
        }
        for wrong in ["a \u{fe0f}b", "\u{fe0f}", "x\u{e0101}\u{e0102}"] {
            assert_eq!(one_line(wrong, 100), None, "{}", wrong.escape_unicode());
        }
    }

    #[test]
    fn a_line_has_a_beginning_and_an_end() {
        assert_eq!(one_line(" Blue\u{a0}mug\t", 8).as_deref(), Some("Blue\u{a0}mug"));
        for wrong in ["", "  ", "\u{3000}", &"x".repeat(9)] {
            assert_eq!(one_line(wrong, 8), None, "{wrong:?}");
        }
    }
}
