//! Encryption of the way to the database, by rustls.

use crate::Error;
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

/// What is asked of the way to the database, as in libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// Nothing is encrypted.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted, whoever the server is.
    Require,
    /// Encrypted, and the server's certificate comes from one of the roots.
    VerifyCa,
    /// That, and it was given to the host that was asked for.
    VerifyFull,
}

impl Security {
    pub(super) fn parse(word: &str) -> Option<Security> {
        Some(match word {
            "disable" => Security::Disable,
            "prefer" => Security::Prefer,
            "require" => Security::Require,
            "verify-ca" => Security::VerifyCa,
            "verify-full" => Security::VerifyFull,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Security::Disable => "disable",
            Security::Prefer => "prefer",
            Security::Require => "require",
            Security::VerifyCa => "verify-ca",
            Security::VerifyFull => "verify-full",
        })
    }
}

pub(super) type Tls = MakeRustlsConnect;

/// Why no way could be agreed on that is as safe as was asked for; none if that is not what failed. To
/// try again is of no use then.
pub(super) fn refusal(security: Security, error: &tokio_postgres::Error) -> Option<Error> {
    let cause = std::error::Error::source(error)?;
    let Some(io) = cause.downcast_ref::<std::io::Error>() else {
        // The driver says so in words only; all its other failures of a handshake are those of a socket.
        let is_plain = cause.to_string() == "server does not support TLS";
        return is_plain.then(|| refused(&format!("sslmode={security}, but the server does not speak TLS")));
    };
    let rustls::Error::InvalidCertificate(why) = io.get_ref()?.downcast_ref::<rustls::Error>()? else {
        return None;
    };
    #[allow(clippy::wildcard_enum_match_arm, reason = "the list is another's, and grows")]
    let certificate = match why {
        CertificateError::UnknownIssuer => {
            "the server's certificate comes from none of those in sslrootcert".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate was given to another host than the address names".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        other => {
            format!("the server's certificate cannot be trusted: {}", rustls::Error::from(other.clone()))
        }
    };
    Some(refused(&format!("sslmode={security}, but {certificate}")))
}

/// What encrypts. Certificates are checked against the roots in a PEM file.
pub(super) fn connector(security: Security, roots: Option<&Path>) -> Result<Tls, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error.to_string()))?;
    let checked = match roots {
        Some(file) => Some(from_roots(&provider, file)?),
        None if matches!(security, Security::VerifyCa | Security::VerifyFull) => {
            return Err(refused(
                "sslmode=verify-ca and verify-full need sslrootcert=FILE, the certificates to trust (for \
                 those of the system, /etc/ssl/certs/ca-certificates.crt on Debian)",
            ));
        }
        None => None,
    };
    let verifier: Arc<dyn ServerCertVerifier> = match (security, checked) {
        (Security::VerifyFull, Some(checked)) => checked,
        // As in libpq: with roots at hand, `require` checks where the certificate comes from.
        (_, Some(checked)) => Arc::new(AnyName(checked)),
        (_, None) => Arc::new(Anybody(provider)),
    };
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn refused(message: &str) -> Error {
    Error::Address(message.to_owned())
}

fn from_roots(provider: &Arc<CryptoProvider>, file: &Path) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let failed = |message: String| refused(&format!("sslrootcert={}: {message}", file.display()));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| failed(error.to_string()))
}

/// A certificate from one of the roots, whatever name it was given to.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Any certificate whose key the server has: keeps out those who listen, not those who pretend.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
