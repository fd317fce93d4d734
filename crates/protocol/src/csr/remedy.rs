//! What to do about a request that is refused: the command that makes a right one.

use super::rules::Broken;

/// How a new key and its request are made.
pub const MAKE_ANEW: &str = "make a new key and its request with `openssl req -new -newkey rsa:4096 -sha256 -subj /O=NAME -keyout key.pem -out request.csr` (or `vestibule connector keys new --client NAME`), and send request.csr alone";
/// How a new request of the same key is made.
pub const REQUEST_ANEW: &str = "make a new request of the same key with `openssl req -new -key key.pem -sha256 -subj /O=NAME -out request.csr` (or `vestibule connector keys csr --client NAME`), and send request.csr alone";

/// What makes it right, after these rules were broken.
pub fn remedy(broken: &[Broken]) -> &'static str {
    if broken.iter().all(|rule| rule.key_may_stay()) {
        REQUEST_ANEW
    } else {
        MAKE_ANEW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_anew_only_where_it_must() {
        assert_eq!(remedy(&[Broken::Signature]), REQUEST_ANEW);
        assert_eq!(remedy(&[Broken::Algorithm]), REQUEST_ANEW);
        assert_eq!(remedy(&[Broken::NotRsa, Broken::Algorithm]), MAKE_ANEW);
        assert_eq!(remedy(&[Broken::Size(1024)]), MAKE_ANEW);
    }
}
