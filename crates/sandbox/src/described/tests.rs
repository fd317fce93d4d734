//! Files that are wrong, each with the line and the words that it is told by.

use super::*;
use crate::world::assets;
use proptest::prelude::*;

/// Where and how: what stands at the place that is pointed at, and some of what is said.
const WRONG: &[(&str, &str, &str)] = &[
    ("nam = \"F\"", "nam", "did you mean name?"),
    ("name = \"\"", "\"\"", "1 to 255 characters"),
    ("name = 7", "7", "expected a string"),
    (
        "network = \"mainet\"",
        "\"mainet\"",
        "did you mean mainnet?",
    ),
    ("name = ", "", ""),
    (
        "[[people]]\nname = \"o\"\nrole = \"OWNR\"",
        "\"OWNR\"",
        "did you mean OWNER?",
    ),
    (
        "[[people]]\nname = \"o\"\nrole = \"ADMIN\"",
        "[[people]]",
        "expected an OWNER",
    ),
    (
        "[[people]]\nname = \"o\"\nrole = \"OWNER\"\n[[people]]\nname = \"p\"\nrole = \"OWNER\" #",
        "\"OWNER\" #",
        "one OWNER",
    ),
    (
        "[[people]]\nname = \"o\"\nrole = \"OWNER\"\n[[api_users]]\nname = \"o\" #\nrole = \"VIEWER\"",
        "\"o\" #",
        "there twice",
    ),
    (
        "[[people]]\nrole = \"OWNER\"",
        "[[people]]",
        "missing field `name`",
    ),
    (
        "[[people]]\nname = \"o\"\nrole = \"OWNER\"\nrank = 1",
        "rank",
        "unknown field `rank`",
    ),
    (
        "[[api_users]]\nname = \"a\"\nrole = \"OWNER\"",
        "\"OWNER\"",
        "[[people]]",
    ),
    (
        "[[api_users]]\nname = \"a\"\nrole = \"SECURITY_AUDITOR\"",
        "\"SECURITY_AUDITOR\"",
        "say which with key",
    ),
    (
        "[[api_users]]\nname = \"a\"\nrole = \"VIEWER\"\nkey = \"veiwer\"",
        "\"veiwer\"",
        "did you mean viewer?",
    ),
    ("people = 3", "3", "expected a list, found a number"),
    (
        "[[groups]]\nname = \"g\"\nmembers = []",
        "[]",
        "\"g\" names nobody",
    ),
    (
        "[[groups]]\nname = \"g\"\nmembers = [\"tresurer\"]",
        "\"tresurer\"",
        "did you mean treasurer?",
    ),
    (
        "[[groups]]\nname = \"g\"\nmembers = [\"admin\", \"admin\" ]",
        "\"admin\" ]",
        "there twice",
    ),
    ("[quorum]\nthreshold = 9", "9", "expected 1 to 3"),
    (
        "[quorum]\nthreshold = \"MOST\"",
        "\"MOST\"",
        "expected a number of members, or \"ALL\"",
    ),
    ("[[policy]]\naction = \"ALOW\"", "[[policy]]", "ALOW"),
    (
        "[[policy]]\naction = \"ALLOW\"\noperators = { users = [\"admn\"] }",
        "\"admn\"",
        "no such user: admn",
    ),
    (
        "[[policy]]\naction = \"ALLOW\"\noperators = { users = [\"viewer\"] }",
        "\"viewer\"",
        "viewer cannot initiate",
    ),
    (
        "[[policy]]\naction = \"ALLOW\"\nasset = \"BTCC\"",
        "\"BTCC\"",
        "no such asset: BTCC",
    ),
    (
        "[[policy]]\naction = \"ALLOW\"\nasst = \"BTC\"",
        "asst",
        "did you mean asset?",
    ),
    (
        "[[policy]]\naction = \"ALLOW\"\nsrc = { ids = [[\"7\", \"VAULT\"]] }",
        "\"7\"",
        "no such vault account: 7",
    ),
    (
        "[[tags]]\nlabel = \"a\"\n[[tags]]\nlabel = \"a\" #",
        "\"a\" #",
        "there twice",
    ),
    (
        "[[accounts]]\nassets = [\"BTC\"]",
        "[[accounts]]",
        "expected a name, or names",
    ),
    ("[[accounts]]\nname = \"A\"\ncount = 3", "\"A\"", "a {n}"),
    (
        "[[accounts]]\nname = \"A {n}\"\ncount = 0",
        "0",
        "1 to 1000000",
    ),
    ("[[accounts]]\nname = \"A {n}\"\ncount = -1", "-1", ""),
    ("[[accounts]]\nname = \"A {m}\"", "\"A {m}\"", "{n:3}"),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTX\"]",
        "\"BTX\"",
        "did you mean BTC?",
    ),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTC\", \"BTC\" ]",
        "\"BTC\" ]",
        "there twice",
    ),
    (
        "[[accounts]]\nname = \"A\"\nbalances = { BTC = \"-1\" }",
        "\"-1\"",
        "expected an amount",
    ),
    (
        "[[accounts]]\nname = \"A\"\nbalances = { BTC = 1.5 }",
        "1.5",
        "in quotes",
    ),
    (
        "[[accounts]]\nname = \"A\"\nbalances = { BTC = \"0.000000001\" }",
        "\"0.000000001\"",
        "more decimals",
    ),
    (
        "[[accounts]]\nname = \"A\"\nbalances = { BTC = [\"2\", \"1\"] }",
        "[\"2\", \"1\"]",
        "the least first",
    ),
    (
        "[[accounts]]\nname = \"A\"\nbalances = { XBT = \"1\" }",
        "XBT",
        "no such asset on mainnet",
    ),
    ("[[accounts]]\nname = \"A\"\nshare = 101", "101", "1 to 100"),
    (
        "[[accounts]]\nname = \"A\"\ntags = [\"cold\"]",
        "\"cold\"",
        "no such tag",
    ),
    (
        "network = \"testnet\"\n[[accounts]]\nname = \"A\"\nassets = [\"BTC\"]",
        "\"BTC\"",
        "did you mean BTC_TEST?",
    ),
    (
        "[[whitelists]]\nkind = \"exteral\"\nname = \"A\"",
        "\"exteral\"",
        "did you mean external?",
    ),
    (
        "[[whitelists]]\nkind = \"contract\"\nname = \"A\"\nassets = [\"BTC\"]",
        "\"BTC\"",
        "no contracts",
    ),
    (
        "[[whitelists]]\nkind = \"external\"\nname = \"A\"\naddresses = { BTC = \"1abc\" }",
        "\"1abc\"",
        "no address of BTC",
    ),
    (
        "[[exchange_accounts]]\nexchange = \"KRACKEN\"\nname = \"K\"",
        "\"KRACKEN\"",
        "did you mean KRAKEN?",
    ),
    (
        "[[fiat_accounts]]\nname = \"F\"\ncurrency = \"EURO\"\nbalance = \"1\"",
        "\"EURO\"",
        "no such currency",
    ),
    (
        "[[gas_stations]]\nasset = \"BTC\"\nbalance = \"1\"\ngas_threshold = \"1\"\ngas_cap = \"2\"",
        "\"BTC\"",
        "no gas station of BTC",
    ),
    (
        "[[gas_stations]]\nasset = \"ETH\"\nbalance = \"1\"\ngas_threshold = \"2\"\ngas_cap = \"1\"",
        "[[gas_stations]]",
        "gasCap",
    ),
    (
        "[[webhooks]]\nurl = \"hooks.example.com\"",
        "\"hooks.example.com\"",
        "a whole http or https URL",
    ),
    (
        "[[webhooks]]\nurl = \"https://a.example\"\nevents = [\"transaction.create\"]",
        "\"transaction.create\"",
        "did you mean transaction.created?",
    ),
    ("examples = [\"nfts\"]", "\"nfts\"", "first 4 accounts"),
    (
        "examples = [\"earning\"]",
        "\"earning\"",
        "did you mean earn?",
    ),
    (
        "[history]\ndays = 3",
        "[history]",
        "missing field `transactions`",
    ),
    (
        "[history]\ntransactions = 5",
        "[history]",
        "no account with a wallet",
    ),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTC\"]\n[history]\ntransactions = 5\nkinds = { deposit = 0 }",
        "{ deposit = 0 }",
        "weights",
    ),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTC\"]\n[history]\ntransactions = 5\nassets = { ETH = 1 }",
        "ETH",
        "no account has a wallet of ETH",
    ),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTC\"]\n[history]\ntransactions = 5\ninitiator = \"nobody\"",
        "\"nobody\"",
        "no such person",
    ),
    (
        "[[accounts]]\nname = \"A\"\nassets = [\"BTC\"]\n[history]\ntransactions = 5\ndeposits_usd = [5, 5]",
        "[5, 5]",
        "then more than that",
    ),
];

#[test]
fn each_fault_is_told_where_it_is_and_what_was_expected() {
    let mut untold = Vec::new();
    for (text, seen, said) in WRONG {
        let Err(problems) = read("f.toml", text) else {
            untold.push(format!("{text}\nis read"));
            continue;
        };
        let told = problems.all.first().filter(|problem| {
            let line = text.lines().nth(problem.line - 1).unwrap_or_default();
            let rest: String = line.chars().skip(problem.column - 1).collect();
            problem.what.contains(said) && rest.starts_with(seen)
        });
        if told.is_none() || problems.all.len() != 1 {
            untold.push(format!("{text}\n{problems}"));
        }
    }
    assert!(untold.is_empty(), "{}", untold.join("\n\n"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = "nme = \"x\"\n\n[[people]]\nname = \"o\"\nrole = \"OWNR\"\n\n[[accounts]]\nname = \"A\"\n\
                assets = [\"BTX\", \"ETX\"]\nshare = 0\n\n[[groups]]\nname = \"g\"\nmembers = []\n";
    let problems = read("f.toml", text).expect_err("problems");
    let lines: Vec<_> = problems.all.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 5, 9, 9, 10, 14], "{problems}");
}

#[test]
fn what_is_shown_of_a_fault_is_its_line() {
    let text = "name = \"F\"\n\n[[people]]\nname = \"owner\"\nrole = \"OWNR\"   # the boss\n";
    let told = read("funds/f.toml", text)
        .expect_err("problems")
        .to_string();
    let lines: Vec<_> = told.lines().collect();
    let [first, rest @ ..] = lines.as_slice() else {
        panic!("{told}");
    };
    let begin = "funds/f.toml:5:8: no such role: \"OWNR\"; there are OWNER,";
    assert!(first.starts_with(begin), "{told}");
    let shown = ["  5 | role = \"OWNR\"   # the boss", "    |        ^^^^^^"];
    assert_eq!(rest, shown, "{told}");
}

#[test]
fn every_shipped_file_is_read_on_both_networks_or_says_why() {
    for shipped in Shipped::ALL {
        let plan = read(shipped.name(), shipped.text()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.summary(), shipped.summary(Network::Mainnet));
    }
    for shipped in Shipped::ALL {
        let [main, test] = [Network::Mainnet, Network::Testnet].map(|on| shipped.summary(on));
        assert_eq!(main.accounts, test.accounts);
    }
    let fund = Shipped::Fund.summary(Network::Mainnet);
    assert_eq!((fund.accounts, fund.people, fund.api_users), (36, 3, 7));
    let exchange = Shipped::Exchange.summary(Network::Mainnet);
    assert_eq!((exchange.accounts, exchange.wallets), (100_003, 300_011));
}

#[test]
fn what_a_file_leaves_away_is_the_funds() {
    let plan = read("f.toml", "").expect("an empty file");
    let fund = Shipped::Fund.plan(Network::Mainnet);
    assert_eq!(plan.policy, fund.policy);
    assert_eq!(plan.people.len(), fund.people.len());
    // Who brings people of their own begins with Fireblocks' rules.
    let own = read("f.toml", "[[people]]\nname = \"o\"\nrole = \"OWNER\"\n").expect("a file");
    assert_eq!(own.policy, crate::policy::usual());
}

proptest! {
    /// Whatever is cut out of, put into or doubled in a file: it is read or refused, never worse,
    /// and every place that is pointed at is in the text.
    #[test]
    fn any_text_is_read_or_refused_at_a_place_of_its_own(
        at in 0_usize..12_000, gone in 0_usize..40, more in "[ -~\\n\"\\[\\]={}ü]{0,12}",
    ) {
        let mut text = Shipped::Fund.text().to_owned();
        let floor = |mut at: usize| {
            while !text.is_char_boundary(at) { at -= 1; }
            at
        };
        let start = floor(at % text.len());
        let end = floor((start + gone).min(text.len()));
        text.replace_range(start..end.max(start), &more);
        if let Err(problems) = read("f.toml", &text) {
            prop_assert!(!problems.all.is_empty());
            let lines = text.split('\n').count();
            for problem in &problems.all {
                prop_assert!((1..=lines).contains(&problem.line), "{}", problems);
                prop_assert!(!problem.what.is_empty());
            }
        }
    }

    /// Every asset of a network is known there, and nowhere else.
    #[test]
    fn an_asset_is_known_on_its_network_alone(at in 0_usize..18, test in any::<bool>()) {
        let all: Vec<_> = assets::of_network(false).map(|asset| (false, asset.id))
            .chain(assets::of_network(true).map(|asset| (true, asset.id))).collect();
        let (of_test, id) = all[at % all.len()];
        let network = if test { "testnet" } else { "mainnet" };
        let text = format!("network = \"{network}\"\n[[accounts]]\nname = \"A\"\nassets = [\"{id}\"]\n");
        prop_assert_eq!(read("f.toml", &text).is_ok(), of_test == test);
    }
}
