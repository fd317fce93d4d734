//! What an API co-signer asks its callback handler before it signs or approves, and the answer:
//! compact JWTs (RFC 7519), RS256 both ways, each with its sender's key. (Fireblocks' pages on the
//! *API Co-signer Callback Handler*.)

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyError, PrivateKey, PublicKey};

/// The path of a question about a transaction, below the handler's URL.
pub const TRANSACTION_PATH: &str = "v2/tx_sign_request";
/// The header of every question.
const HEADER: &str = r#"{"typ":"JWT","alg":"RS256"}"#;

/// What a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Sign, or approve.
    Approve,
    /// It ends here.
    Reject,
    /// Ask again later.
    Retry,
    /// Others may decide; of approvals alone.
    Ignore,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What it says.
    pub action: Action,
    /// Which question it answers.
    pub request_id: String,
    /// Why not.
    pub rejection_reason: Option<String>,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It is no compact JWT.
    #[error("the answer is no JWT")]
    Form,
    /// It is signed by another algorithm.
    #[error("the answer is not signed with RS256")]
    Algorithm,
    /// It is signed with another key.
    #[error("the answer is not signed with the handler's key")]
    Signature,
    /// It does not say what an answer says.
    #[error("the answer has no action of APPROVE, REJECT, RETRY, IGNORE, or no requestId")]
    Claims,
    /// It answers another question.
    #[error("the answer is to another requestId")]
    OtherRequest,
}

/// A question as it is sent: a JWT of its claims.
pub fn question(claims: &impl Serialize, key: &PrivateKey) -> Result<String, KeyError> {
    let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Unusable)?;
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(HEADER),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign_rs256(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// A JSON object, read; a list of its values is none.
fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    crate::objects::read(&value).ok()
}

/// The answer to a question, once it is known to be the handler's.
pub fn answer(body: &[u8], key: &PublicKey, request_id: &str) -> Result<Answer, BadAnswer> {
    let text = std::str::from_utf8(body)
        .map_err(|_| BadAnswer::Form)?
        .trim();
    let (signed, signature) = text.rsplit_once('.').ok_or(BadAnswer::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(BadAnswer::Form)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| BadAnswer::Form);
    let header: Header = object(&decode(header)?).ok_or(BadAnswer::Form)?;
    if header.alg != "RS256" {
        return Err(BadAnswer::Algorithm);
    }
    if !key.verifies_rs256(signed.as_bytes(), &decode(signature)?) {
        return Err(BadAnswer::Signature);
    }
    let answer: Answer = object(&decode(claims)?).ok_or(BadAnswer::Claims)?;
    if answer.request_id != request_id {
        return Err(BadAnswer::OtherRequest);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::tests::KEY;

    fn answered(claims: Value) -> Result<Answer, BadAnswer> {
        let text = question(&claims, &KEY).expect("a JWT");
        answer(text.as_bytes(), KEY.public(), "r")
    }

    #[test]
    fn only_the_handlers_own_answer_to_this_question_counts() {
        let yes = json!({"action": "APPROVE", "requestId": "r", "iat": 1});
        assert_eq!(
            answered(yes.clone()).map(|it| it.action),
            Ok(Action::Approve)
        );
        let no = json!({"action": "REJECT", "requestId": "r", "rejectionReason": "too much"});
        let reason = answered(no).map(|it| it.rejection_reason);
        assert_eq!(reason, Ok(Some("too much".to_owned())));
        for (claims, why) in [
            (
                json!({"action": "APPROVE", "requestId": "s"}),
                BadAnswer::OtherRequest,
            ),
            (json!({"action": "APPROVE"}), BadAnswer::Claims),
            (
                json!({"action": "approve", "requestId": "r"}),
                BadAnswer::Claims,
            ),
            (json!({"requestId": "r"}), BadAnswer::Claims),
            (json!(["APPROVE", "r", null]), BadAnswer::Claims),
        ] {
            assert_eq!(answered(claims.clone()), Err(why), "{claims}");
        }
        let good = question(&yes, &KEY).expect("a JWT");
        let answer_of = |text: &str| answer(text.as_bytes(), KEY.public(), "r");
        assert!(answer_of(&format!(" {good}\n")).is_ok());
        let (head, rest) = good.split_once('.').expect("a JWT");
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        assert_eq!(
            answer_of(&format!("{unsigned}.{rest}")),
            Err(BadAnswer::Algorithm)
        );
        let other = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        assert_eq!(
            answer_of(&format!("{other}.{rest}")),
            Err(BadAnswer::Signature)
        );
        for bad in ["", "a", "a.b", "a.b.c", &format!("\"{good}\""), head] {
            assert_eq!(answer_of(bad), Err(BadAnswer::Form), "{bad}");
        }
    }
}
