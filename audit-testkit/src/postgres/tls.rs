use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::PostgresError;
use super::account::Account;

/// The files that a server needs to offer TLS, as they stand in a folder.
pub(super) struct TlsFiles {
    pub(super) root_certificate: PathBuf,
    /// The lines of configuration that name the others.
    pub(super) config: Vec<String>,
}

/// Makes an authority, and a certificate for 127.0.0.1 that it has signed.
pub(super) fn write_files(account: Account, folder: &Path) -> Result<TlsFiles, PostgresError> {
    let pem = make().map_err(PostgresError::because("cannot make a certificate"))?;
    let root_certificate = folder.join("root.crt");
    let certificate = folder.join("server.crt");
    let key = folder.join("server.key");
    write(account, &root_certificate, &pem.root_certificate)?;
    write(account, &certificate, &pem.certificate)?;
    write(account, &key, &pem.key)?;
    Ok(TlsFiles {
        root_certificate,
        config: vec![
            "ssl = on".to_owned(),
            format!("ssl_cert_file = '{}'", certificate.display()),
            format!("ssl_key_file = '{}'", key.display()),
        ],
    })
}

struct Pem {
    root_certificate: String,
    certificate: String,
    key: String,
}

fn make() -> Result<Pem, rcgen::Error> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(DnType::CommonName, "audit-testkit");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    Ok(Pem {
        root_certificate: authority.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn write(account: Account, file: &Path, text: &str) -> Result<(), PostgresError> {
    fs::write(file, text)
        // Postgres refuses a key that others could read.
        .and_then(|()| fs::set_permissions(file, fs::Permissions::from_mode(0o600)))
        .map_err(PostgresError::because(format!(
            "cannot write {}",
            file.display()
        )))?;
    account.own(file)
}
