//! A rival's public half with somebody else's private half: found, and never proven, in any form. Who
//! could prove such a key could burn a rival's.

use num_bigint::BigUint;

use super::*;
use crate::der::field;

/// A key's numbers, as far as a forger wants to set them.
struct Forged {
    n: Vec<u8>,
    e: Vec<u8>,
    d: Vec<u8>,
    p: Vec<u8>,
    q: Vec<u8>,
}

fn own(name: &str) -> Vec<u8> {
    let jwk: serde_json::Value = serde_json::from_str(JWK).expect("a JWK");
    let text = jwk[name].as_str().expect("a number");
    URL_SAFE_NO_PAD.decode(text).expect("base64")
}

/// What a forger can try: its own private numbers, trivial ones, the modulus as a factor of itself.
fn forgeries() -> Vec<(&'static str, Forged)> {
    let rival = KEY.public();
    let (n, e) = (rival.modulus().to_vec(), rival.exponent().to_vec());
    let with = |e: &[u8], d: Vec<u8>, p: Vec<u8>, q: Vec<u8>| Forged {
        n: n.clone(),
        e: e.to_vec(),
        d,
        p,
        q,
    };
    vec![
        ("own private half", with(&e, own("d"), own("p"), own("q"))),
        ("modulus and one", with(&e, own("d"), n.clone(), vec![1])),
        ("one and modulus", with(&e, own("d"), vec![1], n.clone())),
        ("nothing but d", with(&e, own("d"), vec![0], vec![0])),
        ("exponents of one", with(&[1], vec![1], own("p"), own("q"))),
        (
            "exponents of one alone",
            with(&[1], vec![1], vec![0], vec![0]),
        ),
        ("no exponent", with(&[0], vec![1], vec![0], vec![0])),
        ("itself", with(&e, n.clone(), n.clone(), n.clone())),
        ("own d without primes", with(&e, own("d"), vec![], vec![])),
        (
            "exponents that undo nothing",
            with(&[1], vec![1], vec![], vec![]),
        ),
        ("two that undo nothing", with(&[2], vec![3], vec![], vec![])),
        (
            "an even modulus",
            Forged {
                n: [n.as_slice(), &[0]].concat(),
                ..with(&e, own("d"), vec![], vec![])
            },
        ),
    ]
}

fn integer(number: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let padded = [&[0], number].concat();
    let signed = number.first().is_some_and(|first| first & 0x80 != 0);
    field(0x02, if signed { &padded } else { number }, &mut out).expect("short");
    out
}

fn sequence(inside: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    field(0x30, &inside.concat(), &mut out).expect("short");
    out
}

fn pkcs1(key: &Forged, crt: &[u8]) -> Vec<u8> {
    let numbers = [
        &[0],
        &key.n[..],
        &key.e,
        &key.d,
        &key.p,
        &key.q,
        crt,
        crt,
        crt,
    ];
    sequence(&numbers.map(integer))
}

fn pkcs8(key: &Forged, crt: &[u8]) -> Vec<u8> {
    const RSA: [u8; 13] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let mut inside = Vec::new();
    field(0x04, &pkcs1(key, crt), &mut inside).expect("short");
    sequence(&[integer(&[0]), sequence(&[RSA.to_vec()]), inside])
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let one = |part: &&[u8]| {
        let len = u32::try_from(part.len()).expect("short").to_be_bytes();
        [&len[..], part].concat()
    };
    parts.iter().flat_map(one).collect()
}

fn openssh(key: &Forged) -> Vec<u8> {
    let public = strings(&[b"ssh-rsa", &key.e, &key.n]);
    let private = [
        vec![0; 8],
        strings(&[
            b"ssh-rsa",
            &key.n,
            &key.e,
            &key.d,
            &[1],
            &key.p,
            &key.q,
            b"me",
        ]),
    ]
    .concat();
    let head = strings(&[b"none", b"none", b""]);
    let tail = strings(&[&public, &private]);
    [b"openssh-key-v1\0".as_slice(), &head, &[0, 0, 0, 1], &tail].concat()
}

fn putty(key: &Forged) -> Vec<u8> {
    let public = STANDARD.encode(strings(&[b"ssh-rsa", &key.e, &key.n]));
    let private = STANDARD.encode(strings(&[&key.d, &key.p, &key.q, &[1]]));
    format!(
        "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: x\nPublic-Lines: 6\n{}\nPrivate-Lines: 14\n{}\nPrivate-MAC: 00\n",
        wrapped(&public, 64),
        wrapped(&private, 64)
    )
    .into_bytes()
}

/// Numbers that are left out.
fn nothing() -> Forged {
    Forged {
        n: Vec::new(),
        e: Vec::new(),
        d: Vec::new(),
        p: Vec::new(),
        q: Vec::new(),
    }
}

fn jwk(key: &Forged) -> Vec<u8> {
    let base64 = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    // Short ones are no private part, and would not even be found.
    let d = if key.d.len() < 32 {
        [vec![0; 32], key.d.clone()].concat()
    } else {
        key.d.clone()
    };
    let mut jwk = serde_json::json!({"kty": "RSA", "n": base64(&key.n), "e": base64(&key.e), "d": base64(&d)});
    if !key.p.is_empty() {
        jwk["p"] = base64(&key.p).into();
        jwk["q"] = base64(&key.q).into();
    }
    jwk.to_string().into_bytes()
}

fn xml(key: &Forged) -> Vec<u8> {
    let element = |tag: &str, number: &[u8]| match number {
        [] => String::new(),
        number => format!("<{tag}>{}</{tag}>", STANDARD.encode(number)),
    };
    [
        "<RSAKeyValue>".to_owned(),
        element("Modulus", &key.n),
        element("Exponent", &key.e),
        element("P", &key.p),
        element("Q", &key.q),
        element("D", &key.d),
        "</RSAKeyValue>".to_owned(),
    ]
    .concat()
    .into_bytes()
}

#[test]
fn a_forged_private_key_is_found_and_proves_nothing() {
    for (name, key) in forgeries() {
        for (form, file) in [
            ("PKCS#1", pkcs1(&key, &[1])),
            ("PKCS#1, stripped", pkcs1(&key, &[0])),
            ("PKCS#8", pkcs8(&key, &[1])),
            ("PKCS#8, stripped", pkcs8(&key, &[0])),
            ("OpenSSH", openssh(&key)),
            ("PuTTY", putty(&key)),
            ("JWK", jwk(&key)),
            ("XML", xml(&key)),
        ] {
            let found = find(&file).unwrap_or_else(|| panic!("{name} as {form} was missed"));
            assert_eq!(found.proven, None, "{name} as {form}");
        }
    }
}

/// The forms above are right: with a key's own numbers each proves it.
#[test]
fn the_forms_of_the_forger_are_those_that_prove() {
    let key = Forged {
        n: own("n"),
        e: own("e"),
        d: own("d"),
        p: own("p"),
        q: own("q"),
    };
    let public = PublicKey::from_pem(PUBLIC).expect("a key");
    for file in [openssh(&key), putty(&key), jwk(&key), xml(&key)] {
        let found = find(&file).expect("found");
        assert_eq!(found.proven.as_ref(), Some(&public), "{:?}", found.kind);
    }
    // A JWK or an XML may leave the primes out: anybody computes them.
    let bare = Forged {
        n: own("n"),
        e: own("e"),
        d: own("d"),
        ..nothing()
    };
    for file in [jwk(&bare), xml(&bare)] {
        let found = find(&file).expect("found");
        assert_eq!(found.proven.as_ref(), Some(&public), "{:?}", found.kind);
    }
    // What a library of Java strips: the numbers for the Chinese remainder are zero.
    let stripped = Forged {
        p: vec![0],
        q: vec![0],
        ..key
    };
    let found = find(&pkcs1(&stripped, &[0])).expect("found");
    assert!(found.proven.is_none() || found.proven == Some(public));
}

/// Whatever a forger puts before it: numbers without primes cost some divisions, and each is tried.
#[test]
fn a_key_without_primes_is_proven_beside_forged_ones() {
    let public = PublicKey::from_pem(PUBLIC).expect("a key");
    let one = BigUint::from(1u32);
    // A prime (Mersenne's): any number is its own d-th power there, and no power tells factors.
    let prime = (&one << 2203u32) - &one;
    let e = BigUint::from_bytes_be(&own("e"));
    let of_prime = Forged {
        n: prime.to_bytes_be(),
        e: own("e"),
        d: e.modinv(&(&prime - &one)).expect("odd").to_bytes_be(),
        ..nothing()
    };
    assert_eq!(find(&jwk(&of_prime)).expect("found").proven, None);
    let bare = |n: Vec<u8>, d: Vec<u8>| Forged {
        n,
        e: own("e"),
        d,
        ..nothing()
    };
    let [p, q] = ["p", "q"].map(|name| BigUint::from_bytes_be(&own(name)) - &one);
    // Modulo the product, as old programs have it.
    let of_product = e.modinv(&(&p * &q)).expect("odd");
    let found = find(&jwk(&bare(own("n"), of_product.to_bytes_be()))).expect("found");
    assert_eq!(found.proven.as_ref(), Some(&public));
    let forged = (0..8).map(|more| {
        let n = BigUint::from_bytes_be(&own("n")) + BigUint::from(2u32 * more + 2);
        jwk(&bare(n.to_bytes_be(), own("d")))
    });
    let mut paste: Vec<Vec<u8>> = forged.chain([jwk(&of_prime)]).collect();
    paste.push(jwk(&bare(own("n"), own("d"))));
    let found = find(&paste.join(&b'\n')).expect("found");
    assert_eq!(found.proven, Some(public));
}
