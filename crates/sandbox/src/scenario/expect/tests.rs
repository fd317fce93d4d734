use http::HeaderMap;
use serde_json::json;

use super::*;

fn answer(status: u16, body: Value) -> Seen {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().expect("a value"));
    Seen::Answer {
        status,
        headers,
        body,
    }
}

fn of(path: &str, test: Test) -> Expectations {
    Expectations {
        fields: vec![Expected {
            line: 7,
            place: JsonPath::parse(path).expect("a path"),
            test,
        }],
        ..Expectations::default()
    }
}

fn judged(expectations: &Expectations, seen: &Seen) -> Vec<Failure> {
    let mut known = Variables::default();
    known.set("before", "1.5");
    expectations.judge(1, seen, None, &known).expect("known")
}

#[test]
fn each_test_holds_where_it_should_and_fails_where_it_should() {
    let body = json!({"a": "x", "n": 2.50, "list": [{"id": "1"}, {"id": "2"}], "none": null});
    let seen = answer(200, body);
    let text = |text: &str| Value::from(text);
    let number = |order, text: &str| Test::Number(vec![(order, text.to_owned())]);
    let cases = [
        ("$.a", Test::Is(text("x")), true),
        ("$.a", Test::Is(text("y")), false),
        ("$.b", Test::Is(text("x")), false),
        ("$.a", Test::Not(text("y")), true),
        ("$.b", Test::Not(text("y")), false),
        ("$.a", Test::AnyOf(vec![text("y"), text("x")]), true),
        ("$.a", Test::AnyOf(vec![text("y")]), false),
        ("$.a", Test::Matches(Regex::new("^x$").expect("one")), true),
        ("$.a", Test::Matches(Regex::new("y").expect("one")), false),
        ("$.b", Test::Absent, true),
        ("$.none", Test::Absent, false),
        ("$.none", Test::Present, true),
        ("$.b", Test::Present, false),
        ("$.list[*]", Test::Count(2), true),
        ("$.list[*]", Test::Count(3), false),
        ("$.list[?@.id == '2'].id", Test::Is(text("2")), true),
        ("$.list[*].id", Test::Is(text("2")), false),
        ("$.n", number(Order::Equal, "2.5"), true),
        ("$.n", number(Order::Equal, "${before} + 1"), true),
        ("$.n", number(Order::Equal, "${before} + 1.1"), false),
        ("$.n", number(Order::Greater, "${before}"), true),
        ("$.n", number(Order::Less, "2.5"), false),
        ("$.n", number(Order::AtMost, "2.5"), true),
        ("$.a", number(Order::AtLeast, "0"), false),
        ("$.b", number(Order::AtLeast, "0"), false),
    ];
    for (path, test, holds) in cases {
        let failures = judged(&of(path, test.clone()), &seen);
        assert_eq!(failures.is_empty(), holds, "{path} {test:?}: {failures:?}");
    }
}

#[test]
fn a_failure_says_where_and_what_was_expected_and_seen() {
    let orders = vec![(Order::Equal, "${before} + 1".to_owned())];
    let failures = judged(
        &of("$.n", Test::Number(orders)),
        &answer(200, json!({"n": 2})),
    );
    assert_eq!(
        failures,
        [Failure {
            line: 7,
            what: "$.n".to_owned(),
            expected: "a number equal to 2.5 (1.5 + 1)".to_owned(),
            seen: "2".to_owned(),
        }]
    );
}

#[test]
fn a_status_is_judged_also_where_nothing_is_said_about_it() {
    let nothing = Expectations::default();
    assert!(judged(&nothing, &answer(204, Value::Null)).is_empty());
    assert_eq!(judged(&nothing, &answer(404, json!({"code": 1}))).len(), 1);
    let cut = Seen::Cut("broken".to_owned());
    assert_eq!(judged(&nothing, &cut).len(), 1);
    let wants = |status| Expectations {
        status: Some(status),
        ..Expectations::default()
    };
    assert!(judged(&wants(Status::Cut(1)), &cut).is_empty());
    assert_eq!(
        judged(&wants(Status::Cut(1)), &answer(200, Value::Null)).len(),
        1
    );
    assert_eq!(
        judged(&wants(Status::Is(1, 400)), &answer(200, Value::Null)).len(),
        1
    );
    assert!(judged(&wants(Status::Is(1, 400)), &answer(400, Value::Null)).is_empty());
}

#[test]
fn a_code_is_found_in_both_envelopes() {
    let wants = Expectations {
        status: Some(Status::Is(1, 400)),
        code: Some((2, 1409)),
        ..Expectations::default()
    };
    assert!(judged(&wants, &answer(400, json!({"code": 1409}))).is_empty());
    assert!(judged(&wants, &answer(400, json!({"error": {"code": 1409}}))).is_empty());
    assert_eq!(judged(&wants, &answer(400, json!({"code": 1}))).len(), 1);
}

#[test]
fn a_header_is_judged_like_a_field() {
    let wants = |test| Expectations {
        headers: vec![Expected {
            line: 3,
            place: "Content-Type".to_owned(),
            test,
        }],
        ..Expectations::default()
    };
    let seen = answer(200, Value::Null);
    assert!(judged(&wants(Test::Is("application/json".into())), &seen).is_empty());
    assert_eq!(judged(&wants(Test::Is("text/html".into())), &seen).len(), 1);
}

#[test]
fn sums_are_of_decimals() {
    assert_eq!(
        sum("0.1 + 0.2 - 0.3").map(|sum| sum.to_string()),
        Some("0".to_owned())
    );
    for bad in ["", "1 +", "1 * 2", "x", "1 2", "1e3"] {
        assert_eq!(sum(bad), None, "{bad}");
    }
}
