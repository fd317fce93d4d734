//! Certificate signing requests, as PEM and as DER, and in whatever carried them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::csr::{CertificateSigningRequest, check, intake};

fuzz_target!(|data: &[u8]| {
    let pem = std::str::from_utf8(data).ok();
    let pem = pem.and_then(|text| CertificateSigningRequest::from_pem(text).ok());
    let der = CertificateSigningRequest::from_der(data).ok();
    let carried = intake::read(data).ok();
    for request in pem.into_iter().chain(der).chain(carried) {
        let again = CertificateSigningRequest::from_pem(&request.to_pem());
        assert_eq!(again.as_ref(), Ok(&request));
        if let Ok(key) = check(&request) {
            assert!((2048..=8192).contains(&key.public_key().bits()));
        }
    }
});
