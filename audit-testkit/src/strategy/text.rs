use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts of 1 to `max` characters as people and machines send them: words, texts at the bound,
/// what is special in SQL, JSON, globs and terminals, characters that fonts, collations and
/// normal forms treat in their own way. None holds U+0000.
pub fn texts(max: usize) -> impl Strategy<Value = String> {
    let words = "[a-zA-Z][a-z0-9_/.-]{0,15}".prop_map(move |text| cut(&text, max));
    let at_bound = select(EDGES).prop_map(move |char| char.to_string().repeat(max));
    let odd = vec(prop_oneof![select(EDGES), any::<char>()], 1..=max);
    let odd = odd.prop_map(|chars| chars.into_iter().filter(|char| *char != '\0').collect());
    let odd = odd.prop_filter("a text has a character", |text: &String| !text.is_empty());
    let traps = select(TRAPS).prop_map(move |text| cut(text, max));
    prop_oneof![6 => words, 1 => at_bound, 2 => odd, 2 => traps]
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Characters at the ends of what encodings, escapes and patterns can say.
const EDGES: &[char] = &[
    ' ',
    '"',
    '\'',
    '\\',
    '%',
    '_',
    '*',
    '?',
    ':',
    '-',
    '{',
    '\n',
    '\r',
    '\t',
    '\u{1}',
    '\u{1b}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    'é',
    'ß',
    'İ',
    'ı',
    'ſ',
    '\u{300}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2028}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{feff}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{10000}',
    '\u{1f600}',
    '\u{10ffff}',
];

/// Texts that systems have taken for something else.
const TRAPS: &[&str] = &[
    " ",
    "  leading and trailing  ",
    "NULL",
    "null",
    "none",
    "true",
    "0",
    "1e400",
    "-1",
    "NaN",
    "\\u0000",
    "\\N",
    "''",
    "'; --",
    "%s%n",
    "${x}",
    "{{x}}",
    "<b>",
    "=1+1",
    "a,b\tc\r\nd",
    "e\u{301}",
    "\u{e9}",
    "ﬁ",
    "Å",
    "Å",
    "\u{1b}[31m",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "delete_*",
];
