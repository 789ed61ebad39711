//! Signed tokens: JWTs with HMAC-SHA-256 and no other algorithm, so that none can be talked down to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// The id of the person, as a UUID.
    pub sub: String,
    /// `customer_user` or `staff`.
    pub kind: String,
    /// The number of the environment.
    pub env: i64,
    /// The id of the credential, as a UUID.
    pub jti: String,
    /// When it was made, in seconds since the epoch.
    pub iat: i64,
    /// From when on it is refused, in seconds since the epoch.
    pub exp: i64,
}

/// The name by which our tokens are known.
pub const ISSUER: &str = "quittance";

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// Why a text is not one of our tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOurs {
    /// It is not a JWT, or not one that we could have made.
    Malformed,
    /// Nobody with the key has signed it.
    Signature,
}

/// Signs claims.
pub fn sign(key: &[u8], claims: &Claims) -> String {
    // Claims are strings and integers: they always have a JSON text.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let mut token = BASE64.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    token.push('.');
    BASE64.encode_string(claims, &mut token);
    let signature = mac(key, token.as_bytes()).finalize().into_bytes();
    token.push('.');
    BASE64.encode_string(signature, &mut token);
    token
}

/// The claims of a token, if the key has signed it. Whether it still holds is another question.
///
/// # Errors
/// If it is not a JWT or the signature is wrong.
pub fn verify(key: &[u8], token: &str) -> Result<Claims, NotOurs> {
    let (signed, signature) = token.rsplit_once('.').ok_or(NotOurs::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(NotOurs::Malformed)?;
    let decode = |part: &str| BASE64.decode(part).map_err(|_| NotOurs::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| NotOurs::Malformed)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(NotOurs::Malformed);
    }
    // The comparison takes the same time wherever the two differ.
    mac(key, signed.as_bytes()).verify_slice(&decode(signature)?).map_err(|_| NotOurs::Signature)?;
    let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| NotOurs::Malformed)?;
    if claims.iss != ISSUER {
        return Err(NotOurs::Malformed);
    }
    Ok(claims)
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    super::keys::hmac(key, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: ISSUER.into(),
            sub: "s".into(),
            kind: "staff".into(),
            env: 1,
            jti: "j".into(),
            iat: 1,
            exp: 2,
        }
    }

    #[test]
    fn the_signature_is_that_of_rfc_7515() {
        // RFC 7515, appendix A.1.
        let key = BASE64
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
             eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = BASE64.encode(mac(&key, signed.as_bytes()).finalize().into_bytes());
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn what_was_signed_is_read_back() {
        assert_eq!(verify(b"key", &sign(b"key", &claims())), Ok(claims()));
    }

    #[test]
    fn nothing_else_is() {
        let token = sign(b"key", &claims());
        assert_eq!(verify(b"other", &token), Err(NotOurs::Signature));
        let parts: Vec<&str> = token.split('.').collect();
        let forged = BASE64.encode(serde_json::to_vec(&Claims { env: 2, ..claims() }).unwrap());
        assert_eq!(verify(b"key", &format!("{}.{forged}.{}", parts[0], parts[2])), Err(NotOurs::Signature));
        for header in
            [r#"{"alg":"none"}"#, r#"{"alg":"HS512"}"#, r#"{"alg":"HS256","crit":["x"]}"#, "{}", "x"]
        {
            let unsigned = format!("{}.{}", BASE64.encode(header), parts[1]);
            let signature = BASE64.encode(mac(b"key", unsigned.as_bytes()).finalize().into_bytes());
            assert_eq!(
                verify(b"key", &format!("{unsigned}.{signature}")),
                Err(NotOurs::Malformed),
                "{header}"
            );
            assert!(verify(b"key", &format!("{unsigned}.")).is_err(), "{header} without a signature");
        }
        for text in ["", ".", "..", "a.b.c", "a.b", "....", "é.é.é"] {
            assert!(verify(b"key", text).is_err(), "{text:?}");
        }
        let stranger = sign(b"key", &Claims { iss: "someone".into(), ..claims() });
        assert_eq!(verify(b"key", &stranger), Err(NotOurs::Malformed));
    }
}
