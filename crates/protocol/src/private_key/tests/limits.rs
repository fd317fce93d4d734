use super::*;

#[test]
fn what_cannot_be_looked_through_is_not_called_clean() {
    let unsearchable = Some(Found {
        kind: Kind::Unsearchable,
        proven: None,
    });
    assert_eq!(find(&vec![b' '; MAX_INPUT + 1]), unsearchable);
    assert_eq!(find(&vec![b' '; MAX_INPUT]), None);
    // Large and ordinary: looked through to the end.
    let blob = STANDARD.encode(
        (0..190_000u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
            .collect::<Vec<u8>>(),
    );
    assert_eq!(find(blob.as_bytes()), None);
    let prose = "What we agreed on, then: the key stays where it is. ".repeat(5_000);
    assert_eq!(find(prose.as_bytes()), None);
    let row = |n: u32| serde_json::json!({"id": n, "name": "Main fund", "hash": format!("{n:064x}"), "d": null});
    let rows = serde_json::Value::from_iter((0..2_000).map(row)).to_string();
    assert!((200_000..MAX_INPUT).contains(&rows.len()));
    assert_eq!(find(rows.as_bytes()), None);
    // Each "private part" asks for a look around.
    let mut many = format!("\"d\":\"{}\"\n", "A".repeat(40)).repeat(5_000);
    assert_eq!(find(many.as_bytes()), unsearchable);
    // What was found before the work was used up is told.
    many.insert_str(0, PKCS1);
    assert!(find(many.as_bytes()).is_some_and(|found| found.proven.is_some()));
}
