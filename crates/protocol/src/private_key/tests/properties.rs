use super::*;
use proptest::prelude::*;

/// One way of wrapping.
#[derive(Clone, Copy, Debug)]
enum Wrap {
    Base64(usize),
    UrlSafe,
    Json,
    Quote,
    Returns,
    Mail,
}

fn wrap(text: &str, by: Wrap) -> String {
    match by {
        Wrap::Base64(width) => wrapped(&STANDARD.encode(text), width),
        Wrap::UrlSafe => URL_SAFE_NO_PAD.encode(text),
        Wrap::Json => serde_json::json!({"a": 1, "text": text, "z": [null]}).to_string(),
        Wrap::Quote => text.lines().map(|line| format!("> {line}\n")).collect(),
        Wrap::Returns => text.replace('\n', "\r\n"),
        Wrap::Mail => format!("Hello,\n\nplease find it here:\n\n{text}\n\nRegards, X\n"),
    }
}

fn wraps() -> impl Strategy<Value = Vec<Wrap>> {
    let base64 = || prop_oneof![(20usize..100).prop_map(Wrap::Base64), Just(Wrap::UrlSafe)];
    let plain = || {
        prop_oneof![
            Just(Wrap::Json),
            Just(Wrap::Quote),
            Just(Wrap::Returns),
            Just(Wrap::Mail)
        ]
    };
    // Three layers of base64 at most, with up to two other things around each.
    proptest::collection::vec((proptest::collection::vec(plain(), 0..3), base64()), 0..4).prop_map(
        |layers| {
            layers
                .into_iter()
                .flat_map(|(mut plain, base64)| {
                    plain.push(base64);
                    plain
                })
                .collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_wrapping_hides_a_key(
        which in 0usize..FIXTURES.len(),
        wraps in wraps(),
        last in proptest::option::of(Just(Wrap::Mail)),
    ) {
        let (text, ..) = FIXTURES[which];
        let input = wraps.iter().copied().chain(last).fold(text.to_owned(), |text, by| wrap(&text, by));
        prop_assert!(find(input.as_bytes()).is_some(), "{}", input);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert_eq!(find(&bytes), None);
    }

    #[test]
    fn fields_cut_at_random_are_survived(
        which in 0usize..FIXTURES.len(), from in 0usize..2000, to in 0usize..2000, flips in proptest::collection::vec((0usize..2000, any::<u8>()), 0..8),
    ) {
        let mut bytes = FIXTURES[which].0.as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let (from, to) = (from.min(bytes.len()), to.min(bytes.len()));
        let _ = find(&bytes[from.min(to)..from.max(to)]);
    }

    #[test]
    fn prose_is_left_alone(text in "([A-Za-z]{1,12}[ ,.:\n]{1,2}){0,120}", json in "[a-z ]{0,60}") {
        prop_assert_eq!(find(text.as_bytes()), None);
        let value = serde_json::json!({"d": json, "n": text, "kty": "RSA"});
        prop_assert_eq!(find(value.to_string().as_bytes()), None);
    }

    #[test]
    fn base64_of_anything_is_left_alone(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(find(STANDARD.encode(&bytes).as_bytes()), None);
        prop_assert_eq!(find(URL_SAFE_NO_PAD.encode(&bytes).as_bytes()), None);
        prop_assert_eq!(find(hex::encode(&bytes).as_bytes()), None);
    }
}
