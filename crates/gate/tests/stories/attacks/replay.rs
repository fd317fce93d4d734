//! A token that was right: again, elsewhere, for something else.

use super::attempt::{Attacker, Attempt, DENIED, Gets, HEADER};
use super::scene::Prey;
use crate::provider::transfer;
use serde_json::Value;

const READ: &str = "/v1/vault/accounts_paged?limit=2";
const WRITE: &str = "/v1/transactions";

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get(READ), Gets::Fine)
}

pub fn attempts(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let read = by.get(READ);
    let body = transfer(1, 2, "0.001").to_string();
    let write = by.post(WRITE, body.as_bytes());
    let other_body = transfer(1, 2, "9").to_string();
    let list = by.get(WRITE);
    let same_nonce = {
        let mut claims = by.claims(READ, b"");
        let first = by.signed(HEADER, &Value::Object(claims.clone()).to_string());
        let now = claims["exp"].as_i64().expect("a time");
        claims.insert("exp".to_owned(), (now - 1).into());
        let second = by.signed(HEADER, &Value::Object(claims).to_string());
        (first, second)
    };
    let before_start = {
        let mut claims = by.claims(READ, b"");
        let now = claims["iat"].as_i64().expect("a time");
        claims.insert("iat".to_owned(), (now - 3_600).into());
        claims.insert("exp".to_owned(), (now - 3_600 + 55).into());
        by.signed(HEADER, &Value::Object(claims).to_string())
    };
    vec![
        Attempt::new("a read again", read.clone(), Gets::Code(401, -7)).after(read.clone()),
        Attempt::new(
            "a read again, from elsewhere",
            read.clone(),
            Gets::Code(401, -7),
        )
        .elsewhere(),
        Attempt::new(
            "a read for more rows",
            read.clone().to("/v1/vault/accounts_paged?limit=500"),
            Gets::Code(401, -4),
        ),
        Attempt::new(
            "a read for another list",
            read.clone().to("/v1/transactions"),
            Gets::Code(401, -4),
        ),
        Attempt::new(
            "a read for one account",
            read.clone().to("/v1/vault/accounts/1"),
            Gets::Code(401, -4),
        ),
        Attempt::new(
            "a read by another method",
            {
                let mut delete = by.get(READ);
                delete.method = "DELETE".to_owned();
                delete
            },
            Gets::Status(404),
        ),
        Attempt::new(
            "a read under the other provider's API key",
            by.get(READ).with("X-API-Key", &prey.user),
            DENIED,
        ),
        Attempt::new(
            "a list's token for a proposal",
            {
                let mut post = list;
                post.method = "POST".to_owned();
                post.carrying(body.as_bytes())
            },
            Gets::Code(401, -7),
        ),
        Attempt::new("a proposal again", write.clone(), Gets::Code(401, -7)).after(write.clone()),
        Attempt::new(
            "a proposal of another amount under the same token",
            by.post(WRITE, body.as_bytes())
                .carrying(other_body.as_bytes()),
            Gets::Code(401, -7),
        ),
        Attempt::new(
            "a proposal without its body",
            by.post(WRITE, body.as_bytes()).carrying(b""),
            Gets::Code(401, -7),
        ),
        Attempt::new(
            "a proposal with a blank more",
            by.post(WRITE, body.as_bytes())
                .carrying(format!("{body} ").as_bytes()),
            Gets::Code(401, -7),
        ),
        Attempt::new(
            "a proposal's token for another operation",
            by.post(WRITE, body.as_bytes()).to("/v1/vault/accounts"),
            Gets::Code(401, -4),
        ),
        Attempt::new(
            "the same nonce in another token",
            by.get(READ).bearing(&same_nonce.1),
            Gets::Code(401, -7),
        )
        .after(by.get(READ).bearing(&same_nonce.0)),
        Attempt::new(
            "a token of an hour ago",
            by.get(READ).bearing(&before_start),
            DENIED,
        ),
    ]
}
