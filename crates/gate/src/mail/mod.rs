//! Reminders by mail: before a connection ends, a letter to each of the client's people and to the
//! provider's contact.
//!
//! The store holds how far each letter is, whichever gate leads: it is tried by one gate at a time, again
//! with growing waits until a mail server has it, and not after that. Nothing else waits for it. Between a
//! server's word and the note of it a gate may be killed: then the letter goes out twice, under one id.

mod address;
mod letter;
mod owed;
mod seen;
mod send;
mod session;
mod settings;
mod stream;

pub use address::{MailAddress, NoAddress};
pub(crate) use owed::Posted;
pub use owed::Side;
pub use seen::Waiting;
pub(crate) use seen::{Look, look};
pub(crate) use send::keep;
pub use settings::{BadMail, Login, Mail, MailTls, PasswordAt};

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn address(text: &str) -> MailAddress {
        text.parse().expect("an address")
    }

    /// As it is where little is said.
    pub(crate) fn mail() -> Mail {
        Mail {
            server: "mail.client.example".to_owned(),
            port: None,
            tls: MailTls::Starttls,
            trust: None,
            login: None,
            from: address("gate@client.example"),
            to: vec![address("treasury@client.example")],
        }
    }
}
