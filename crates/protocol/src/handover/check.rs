//! What each field must be. A problem is told in fixed words: the value may be a secret that went
//! into the wrong field.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde_json::error::Category;
use url::Url;

use super::{HandoverError, MAX_ADDRESSES, MAX_NAME_CHARS, MAX_URL_LEN, Place};
use crate::csr::intake::Instead;
use crate::csr::{self, CsrError, is_printable};
use crate::ed25519::VerifyingKey;
use crate::keys::PublicKey;
use crate::role::ProviderRole;
use crate::signature::Jwks;

type Checked<T> = Result<T, &'static str>;

/// Longest PEM of a public key, in bytes: one of 8192 bits has some 1.5 KiB.
const MAX_PEM: usize = 4 * 1024;

/// A field by its name.
#[derive(Clone, Copy)]
pub(super) struct Field(pub(super) &'static str);

impl Field {
    /// An error about this field.
    pub(super) fn is(self, problem: &'static str) -> HandoverError {
        self.at(None, problem)
    }

    fn at(self, entry: Option<usize>, problem: &'static str) -> HandoverError {
        let place = Place {
            field: self.0,
            entry,
        };
        HandoverError::Value { place, problem }
    }

    /// Its value.
    pub(super) fn one<T>(
        self,
        text: &str,
        check: fn(&str) -> Checked<T>,
    ) -> Result<T, HandoverError> {
        check(text).map_err(|problem| self.is(problem))
    }

    /// Its value, if it is there.
    pub(super) fn maybe<T>(
        self,
        text: Option<&str>,
        check: fn(&str) -> Checked<T>,
    ) -> Result<Option<T>, HandoverError> {
        text.map(|text| self.one(text, check)).transpose()
    }

    /// Its values, so many at most.
    pub(super) fn list<T, L: FromIterator<T>>(
        self,
        texts: &[String],
        max: usize,
        check: fn(&str) -> Checked<T>,
    ) -> Result<L, HandoverError> {
        if texts.len() > max {
            return Err(self.is("too many entries"));
        }
        let one = |(entry, text): (usize, &String)| {
            check(text).map_err(|problem| self.at(Some(entry), problem))
        };
        texts.iter().enumerate().map(one).collect()
    }

    /// Its values, each once.
    pub(super) fn set<T: FromStr + Ord>(
        self,
        texts: &[String],
        max: usize,
    ) -> Result<BTreeSet<T>, HandoverError> {
        let set: BTreeSet<T> = self.list(texts, max, id)?;
        if set.len() == texts.len() {
            Ok(set)
        } else {
            Err(self.is("an entry is there twice"))
        }
    }
}

/// What is wrong with the shape of a file, without values of it.
pub(super) fn shape(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the JSON ends too early".to_owned(),
        Category::Syntax | Category::Io => "this is not JSON".to_owned(),
        Category::Data => {
            let text = error.to_string();
            let mut parts = text.split('`');
            match (parts.next(), parts.next()) {
                (Some("missing field "), Some(name)) => format!("the field '{name}' is missing"),
                (Some("duplicate field "), Some(name)) => {
                    format!("the field '{name}' is there twice")
                }
                (Some("unknown field "), Some(name)) if is_word(name) => {
                    format!("no field is called '{name}'")
                }
                (Some("unknown field "), _) => "no field is called that".to_owned(),
                _ => "a value of the wrong type".to_owned(),
            }
        }
    }
}

/// Whether a word may be repeated: short, and of plain letters.
fn is_word(name: &str) -> bool {
    name.len() <= 32
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

pub(super) fn name(text: &str) -> Checked<String> {
    let chars = text.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&chars)
        || text.trim() != text
        || !text.chars().all(is_printable)
    {
        return Err("must be 1 to 100 printable characters, without blanks around them");
    }
    Ok(text.to_owned())
}

pub(super) fn role(text: &str) -> Checked<ProviderRole> {
    text.parse().map_err(|_| "must be VIEWER or EDITOR")
}

pub(super) fn id<T: FromStr>(text: &str) -> Checked<T> {
    text.parse().map_err(|_| "is no id of its kind")
}

pub(super) fn csr(text: &str) -> Checked<String> {
    let problem = match csr::intake::read(text.as_bytes()) {
        Ok(request) => return Ok(request.to_pem()),
        Err(problem) => problem,
    };
    Err(match problem {
        CsrError::TooLarge => "is too long for a certificate signing request",
        CsrError::Several(_) => "holds several certificate signing requests: send exactly one",
        CsrError::Unreadable => "holds a damaged certificate signing request",
        CsrError::Packed => "is packed in a way that is not opened here: send the request as PEM",
        CsrError::Instead(Instead::Certificate) => {
            "is a certificate: send the certificate signing request (CERTIFICATE REQUEST)"
        }
        CsrError::Instead(Instead::PublicKey) => {
            "is a public key alone: send the certificate signing request, which shows that you have its private half"
        }
        CsrError::Instead(Instead::Sealed) => {
            "is an encrypted message: a certificate signing request is no secret, send it plain"
        }
        _ => "must be one certificate signing request (PEM: CERTIFICATE REQUEST)",
    })
}

pub(super) fn url(text: &str) -> Checked<Url> {
    const FORM: &str = "must be an http or https URL without a user and a fragment";
    if text.len() > MAX_URL_LEN {
        return Err("is too long for a URL");
    }
    let url: Url = text.parse().map_err(|_| FORM)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(FORM) }
}

pub(super) fn base_url(text: &str) -> Checked<Url> {
    let url = url(text)?;
    if url.path().ends_with("/v1") && url.query().is_none() {
        Ok(url)
    } else {
        Err("must end in /v1")
    }
}

/// Addresses and ranges that calls may come from.
pub(super) fn ranges(field: Field, texts: &[String]) -> Result<Vec<IpNet>, HandoverError> {
    if texts.is_empty() {
        return Err(field.is("at least one is needed"));
    }
    field.list(texts, MAX_ADDRESSES, range)
}

pub(super) fn range(text: &str) -> Checked<IpNet> {
    let net: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => text.parse().map_err(|_| "is no address and no range")?,
    };
    if net.trunc() != net {
        return Err("has bits set behind its prefix");
    }
    if net.prefix_len() == 0 {
        return Err("covers every address there is");
    }
    match net {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(MAPPED),
        _ => Ok(net),
    }
}

/// One address, two names: a list must not be read past by the other.
const MAPPED: &str = "is an IPv4 address in IPv6: write it as IPv4";

pub(super) fn address(text: &str) -> Checked<IpAddr> {
    let address: IpAddr = text.parse().map_err(|_| "is no address")?;
    if address.to_canonical() == address {
        Ok(address)
    } else {
        Err(MAPPED)
    }
}

pub(super) fn jwks(value: &serde_json::Value) -> Checked<Jwks> {
    let set = Jwks::parse(value.to_string().as_bytes()).map_err(|_| "is no set of keys (JWKS)")?;
    if set.keys.is_empty() {
        return Err("holds no RSA key for RS512");
    }
    Ok(set)
}

pub(super) fn public_key(text: &str) -> Checked<String> {
    let key = (text.len() <= MAX_PEM).then(|| PublicKey::from_pem(text).ok());
    let key = key.flatten().ok_or("must be an RSA public key, PEM")?;
    Ok(key.spki_pem())
}

pub(super) fn log_key(text: &str) -> Checked<VerifyingKey> {
    text.parse()
        .map_err(|_| "must be an Ed25519 public key: base64 of its 32 bytes")
}
