"""Cinder's image layer (cinder.image) as cinder-volume uses it.

Usage: cinder_images.py FILE QCOW2 LOCATION. FILE is a raw disk of whole sectors; QCOW2 an image; LOCATION the s3:// address of a copy of FILE in a store.
"""
import io
import os
import subprocess
import sys
import tempfile
import uuid

from oslo_config import cfg

from cinder import context as cinder_context
from cinder import exception, objects
from cinder.common import config  # noqa: F401
from cinder.image import glance, image_utils

from harness import ACCOUNTS, RAW, check, content_of, contexts, refused, run, until

path, qcow2, location = sys.argv[1:4]
CONTENT = content_of(path)
work = tempfile.TemporaryDirectory()
CONF = cfg.CONF
CONF([], project="cinder", default_config_files=[])
CONF.set_override("image_conversion_dir", work.name)
CONF.set_override("glance_catalog_info", "image:glance:publicURL")
objects.register_all()
service = glance.get_default_image_service()
admin, demo, alt = contexts(cinder_context.RequestContext)


def uploaded(context=demo, **attributes):
    record = service.create(context, dict(RAW, **attributes))
    return service.update(context, record["id"], {}, io.BytesIO(CONTENT), purge_props=False)


def upload(meta, **options):
    """What `cinder upload-to-image` does: a record, then the volume’s bytes. Returns the image."""
    record = service.create(demo, dict(meta, container_format="bare"))
    image_utils.upload_volume(demo, service, record, path, "raw", run_as_root=False, **options)
    return service.show(demo, record["id"])


@check
def upload_of_a_volume():
    """upload of a volume as it is"""
    image = upload({"name": "volume", "disk_format": "raw", "properties": {"hw_disk_bus": "virtio", "signature_verified": "False"}})
    assert (image["status"], image["size"]) == ("active", len(CONTENT)), image
    assert image["properties"]["hw_disk_bus"] == "virtio", image


@check
def upload_that_converts():
    """upload of a volume as qcow2, which qemu-img of Cinder makes"""
    image = upload({"name": "volume.qcow2", "disk_format": "qcow2"})
    assert (image["status"], image["virtual_size"]) == ("active", len(CONTENT)), image


@check
def upload_to_a_store():
    """upload of a volume into the store of its type"""
    image = upload({"name": "volume-at-the-edge", "disk_format": "raw"}, store_id="dcn1")
    assert image["stores"] == "dcn1", image
    stores = service.get_stores(demo)["stores"]
    assert {"central", "dcn0", "dcn1"} <= {store["id"] for store in stores}, stores


@check
def upload_beside_its_base():
    """upload of a volume beside the image that it came from"""
    base = upload({"name": "base", "disk_format": "raw"}, store_id="dcn0")
    record = service.create(demo, dict(RAW, name="beside"))
    image_utils.upload_volume(demo, service, record, path, "raw", run_as_root=False, base_image_ref=base["id"])
    assert service.show(demo, record["id"])["status"] == "active"


@check
def volume_from_a_raw_image():
    """volume from a raw image"""
    image = uploaded(name="raw")
    target = os.path.join(work.name, "volume-raw")
    image_utils.fetch_to_raw(demo, service, image["id"], target, "1M", size=1, run_as_root=False)
    with open(target, "rb") as volume:
        assert volume.read() == CONTENT


@check
def volume_from_a_qcow2():
    """volume from a qcow2, which Cinder converts"""
    record = service.create(demo, {"name": "qcow2", "disk_format": "qcow2", "container_format": "bare"})
    with open(qcow2, "rb") as disk:
        service.update(demo, record["id"], {}, disk, purge_props=False)
    target = os.path.join(work.name, "volume-qcow2")
    image_utils.fetch_to_raw(demo, service, record["id"], target, "1M", size=1, run_as_root=False)
    compared = subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", target, qcow2], capture_output=True, text=True, check=False)
    assert compared.returncode == 0, compared


@check
def download():
    """download into a file, and as chunks"""
    image = uploaded(name="downloaded")
    data = io.BytesIO()
    service.download(demo, image["id"], data)
    assert data.getvalue() == CONTENT
    assert b"".join(service.download(demo, image["id"])) == CONTENT


@check
def locations():
    """image by the location of a volume’s bytes; direct_url and locations are shown"""
    record = service.create(admin, dict(RAW, name="by-location"))
    service.add_location(admin, record["id"], location, {"store": "dcn0"})
    until(lambda: service.show(admin, record["id"]), lambda found: found["status"] == "active")
    direct_url, found = service.get_location(admin, record["id"])
    assert direct_url == location and [entry["url"] for entry in found] == [location], (direct_url, found)
    assert b"".join(service.download(admin, record["id"])) == CONTENT


@check
def lists():
    """lists: filters, sorted, in pages"""
    batch = str(uuid.uuid4())
    made = [service.create(demo, dict(RAW, name="listed-%d" % number, properties={"batch": batch})) for number in range(4)]
    found = service.detail(demo, filters={"batch": batch}, sort_key="name", sort_dir="asc")
    assert [image["name"] for image in found] == ["listed-%d" % number for number in range(4)], found
    found = service.detail(demo, filters={"batch": batch}, sort_key="name", sort_dir="asc", marker=made[1]["id"], limit=1)
    assert [image["name"] for image in found][:1] == ["listed-2"], found
    assert found[0]["created_at"].year >= 2020, found


@check
def members():
    """members of a shared image"""
    image = uploaded(name="shared", visibility="shared")
    assert list(service.list_members(demo, image["id"])) == []
    ACCOUNTS["demo"].connection.image.add_member(image["id"], member_id=alt.project_id)
    assert [(entry["member_id"], entry["status"]) for entry in service.list_members(demo, image["id"])] == [(alt.project_id, "pending")]
    assert service.show(alt, image["id"])["id"] == image["id"]


@check
def update_that_purges():
    """update that purges what it does not name"""
    image = uploaded(name="purged", properties={"keep": "1", "drop": "2"})
    changed = service.update(demo, image["id"], {"name": "renamed", "properties": {"keep": "3"}})
    assert changed["name"] == "renamed" and changed["properties"]["keep"] == "3" and "drop" not in changed["properties"], changed


@check
def a_full_reference():
    """an image named by the address of another image service"""
    image = uploaded(name="by-address")
    other, image_id = glance.get_remote_image_service(demo, "%s/v2/images/%s" % (ACCOUNTS["demo"].image_url.rstrip("/"), image["id"]))
    assert other.show(demo, image_id)["id"] == image["id"]


@check
def metadata_of_volumes():
    """what a volume keeps of its image is what may be set on the next one"""
    image = uploaded(name="source", properties={"os_distro": "debian", "hw_disk_bus": "scsi"})
    kept = dict(service.show(demo, image["id"])["properties"])
    kept = image_utils.filter_out_reserved_namespaces_metadata(kept)
    assert kept["os_distro"] == "debian", kept
    again = service.create(demo, dict(RAW, name="again", properties={name: value for name, value in kept.items() if value is not None}))
    assert again["properties"]["hw_disk_bus"] == "scsi", again


@check
def deletes():
    """delete: once, and not what is protected"""
    image = uploaded(name="deleted")
    assert service.delete(demo, image["id"]) is True
    refused(exception.ImageNotFound, service.delete, demo, image["id"])
    refused(exception.ImageNotFound, service.show, demo, image["id"])
    kept = uploaded(name="protected", protected=True)
    refused(Exception, service.delete, demo, kept["id"])
    assert service.show(demo, kept["id"])["status"] == "active"


@check
def refusals():
    """refusals become Cinder’s own exceptions"""
    image = uploaded(name="mine")
    refused(exception.ImageNotFound, service.update, alt, image["id"], {"name": "yours"})
    refused(exception.ImageNotAuthorized, service.update, demo, image["id"], {"visibility": "public"}, purge_props=False)
    refused(exception.Invalid, service.update, demo, image["id"], {"min_disk": -1}, purge_props=False)


run()
