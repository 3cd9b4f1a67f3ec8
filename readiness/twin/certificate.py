"""The certificate of a served twin: made at start, good for that run alone.

Guarantees: the private key exists on disk only while it is loaded, readable by its owner alone.
"""

import ipaddress
import os
import ssl
import tempfile
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from readiness.twin.clock import wall_now

HOST = "127.0.0.1"
_VALID = timedelta(days=30)


def context(file: Path) -> ssl.SSLContext:
    """Make a key and a certificate; leave only the certificate behind."""
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(_certificate(key).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    handle, name = tempfile.mkstemp(prefix="twin-", suffix=".key")  # readable by its owner alone: 0600
    try:
        with os.fdopen(handle, "wb") as key_file:
            key_file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        context.load_cert_chain(file, name)
    finally:
        Path(name).unlink()
    return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Sign a certificate that strict clients accept as its own authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "readiness twin")])
    now = wall_now()
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    )
    usage = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    forbidden = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage, **forbidden), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
