"""verify-as-nova.py IMAGE CERTIFICATE: reads the properties of an image from stdin as JSON and verifies the file as Nova and Cinder do,
with the same library (cursive). Prints `verified`, or fails."""

import json
import sys

from cryptography import x509
from cursive import signature_utils

image, certificate = sys.argv[1:]
properties = json.load(sys.stdin)
with open(certificate, "rb") as file:
    loaded = x509.load_pem_x509_certificate(file.read())
# In the place of a key manager.
signature_utils.get_certificate = lambda _context, _uuid: loaded
verifier = signature_utils.get_verifier(
    context=None,
    img_signature_certificate_uuid=properties["img_signature_certificate_uuid"],
    img_signature_hash_method=properties["img_signature_hash_method"],
    img_signature=properties["img_signature"],
    img_signature_key_type=properties["img_signature_key_type"],
)
with open(image, "rb") as file:
    while chunk := file.read(1 << 20):
        verifier.update(chunk)
verifier.verify()
print("verified")
