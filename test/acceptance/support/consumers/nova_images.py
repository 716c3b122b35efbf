"""Nova's image layer (nova.image.glance) as nova-api and nova-compute use it.

Usage: nova_images.py FILE QCOW2 LOCATION. FILE is no disk of any format but raw; LOCATION is the s3:// address of a copy of it in a store.
"""
import io
import os
import sys
import tempfile
import uuid

import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.image import glance

from harness import ACCOUNTS, RAW, check, content_of, contexts, refused, run, until

path, qcow2, location = sys.argv[1:4]
CONTENT = content_of(path)
nova.conf.CONF([], project="nova", default_config_files=[])
objects.register_all()
api = glance.API()
admin, demo, alt = contexts(nova_context.RequestContext)


def uploaded(context=demo, **attributes):
    return api.create(context, dict(RAW, **attributes), io.BytesIO(CONTENT))


def downloaded(context, image):
    """Its bytes. (The third form of download, an iterator, is closed by this Nova before it is returned.)"""
    data = io.BytesIO()
    api.download(context, image["id"], data=data)
    return data.getvalue()


@check
def snapshot_of_a_local_disk():
    """snapshot of a server: a record, then an update with the bytes"""
    properties = {"instance_uuid": "6ff0f9a6-2a7e-4d9c-90f0-9a4a2b1a3b0e", "user_id": demo.user_id, "image_type": "snapshot",
                  "hw_disk_bus": "virtio", "hw_vif_model": "virtio", "os_type": "linux"}
    record = api.create(demo, {"name": "snapshot", "is_public": False, "properties": properties})
    assert record["status"] == "queued", record
    # As nova.virt.libvirt.driver.LibvirtDriver.snapshot writes it.
    metadata = {"status": "active", "name": "snapshot", "disk_format": "qcow2", "container_format": "bare",
                "properties": {"kernel_id": None, "image_location": "snapshot", "image_state": "available", "owner_id": demo.project_id}}
    with open(qcow2, "rb") as disk:
        image = api.update(demo, record["id"], metadata, disk, purge_props=False)
    assert image["status"] == "active" and image["disk_format"] == "qcow2", image
    assert image["size"] == os.path.getsize(qcow2), image
    shown = api.get(demo, record["id"])
    assert shown["properties"]["image_type"] == "snapshot" and shown["properties"]["owner_id"] == demo.project_id, shown


@check
def snapshot_of_a_volume():
    """snapshot of a volume-backed server: no bytes, and active"""
    mapping = [{"boot_index": 0, "source_type": "snapshot", "destination_type": "volume", "volume_size": 1}]
    image = api.create(demo, {"name": "volume-backed", "size": 0, "properties": {
        "block_device_mapping": mapping, "bdm_v2": True, "root_device_name": "/dev/vda", "image_type": "snapshot"}})
    assert (image["status"], image["size"]) == ("active", 0), image
    shown = api.get(demo, image["id"])
    assert shown["properties"]["block_device_mapping"] == mapping, shown
    assert downloaded(demo, image) == b""


@check
def properties_as_nova_reads_them():
    """ImageMeta of what is shown: properties have the values that Nova takes"""
    image = uploaded(name="properties", min_disk=1, properties={
        "hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi", "hw_firmware_type": "uefi", "hw_machine_type": "q35", "hw_cpu_sockets": 2,
        "hw_qemu_guest_agent": True, "os_distro": "debian", "architecture": "x86_64", "hw_vif_multiqueue_enabled": "true"})
    meta = objects.ImageMeta.from_image_ref(demo, api, image["id"])
    found = meta.properties
    assert (found.hw_disk_bus, found.hw_firmware_type, found.hw_cpu_sockets) == ("scsi", "uefi", 2), found
    assert found.hw_qemu_guest_agent is True and found.hw_architecture == "x86_64", found
    assert (meta.status, meta.size, meta.min_disk, meta.owner) == ("active", len(CONTENT), 1, demo.project_id), meta


@check
def qcow2_as_nova_reads_it():
    """ImageMeta of a qcow2 whose properties nobody set"""
    with open(qcow2, "rb") as disk:
        image = api.create(demo, {"name": "bare", "disk_format": "qcow2", "container_format": "bare"}, disk)
    meta = objects.ImageMeta.from_image_ref(demo, api, image["id"])
    assert (meta.disk_format, meta.container_format) == ("qcow2", "bare"), meta


@check
def lists():
    """lists: filters by property, status, time and visibility, sorted, in pages"""
    batch = str(uuid.uuid4())
    made = [uploaded(name="listed-%d" % number, properties={"batch": batch}) for number in range(5)]
    api.update(demo, made[0]["id"], {"name": "listed-0", "min_ram": 64}, purge_props=False)

    def names(**query):
        return [image["name"] for image in api.get_all(demo, **query)]

    expected = ["listed-%d" % number for number in range(5)]
    assert names(filters={"property-batch": batch}, sort_key="name", sort_dir="asc") == expected
    assert names(filters={"property-batch": batch}, sort_key="name", sort_dir="asc", page_size=2) == expected
    assert names(filters={"batch": batch, "status": "active"}, sort_key="name", sort_dir="asc",
                 marker=made[1]["id"], limit=2) == expected[2:4]
    assert set(expected) <= set(names(filters={"changes-since": "2020-01-01T00:00:00Z"}))
    assert names(filters={"changes-since": "2999-01-01T00:00:00Z"}) == []
    assert names(filters={"batch": batch, "is_public": "true"}) == []
    assert names(filters={"batch": batch, "name": "listed-3"}) == ["listed-3"]


@check
def update_that_purges():
    """update that purges what it does not name"""
    image = uploaded(name="purged", properties={"keep": "1", "drop": "2", "hw_disk_bus": "ide"})
    changed = api.update(demo, image["id"], {"name": "renamed", "properties": {"keep": "3"}}, purge_props=True)
    assert changed["name"] == "renamed" and changed["status"] == "active", changed
    assert changed["properties"].get("keep") == "3", changed
    assert not {"drop", "hw_disk_bus"} & set(changed["properties"]), changed


@check
def downloads():
    """download: into a file that is open, and to a path"""
    image = uploaded(name="downloaded")
    assert downloaded(demo, image) == CONTENT
    with tempfile.TemporaryDirectory() as directory:
        target = os.path.join(directory, "base")
        api.download(demo, image["id"], dest_path=target)
        with open(target, "rb") as saved:
            assert saved.read() == CONTENT


@check
def download_without_data():
    """download of an image that has no data is refused as one"""
    record = api.create(demo, dict(RAW, name="empty"))
    refused(exception.ImageUnacceptable, api.download, demo, record["id"])


@check
def locations():
    """locations: an address in a store makes an image, and direct_url and locations are shown to who may see them"""
    image = api.create(admin, dict(RAW, name="by-location", location=location))
    image = until(lambda: api.get(admin, image["id"], include_locations=True), lambda found: found["status"] == "active")
    urls = [entry["url"] for entry in image["locations"]]
    assert location in urls and len(urls) == 2, image
    assert downloaded(admin, image) == CONTENT


@check
def a_full_reference():
    """an image named by the address of another image service"""
    image = uploaded(name="by-address")
    reference = glance.API.generate_image_url(image["id"], demo)
    assert reference == "%s/images/%s" % (ACCOUNTS["demo"].image_url.rstrip("/"), image["id"]), reference
    # As nova.api.openstack.common.get_id_from_href and ec2's callers write it: with the version.
    href = "%s/v2/images/%s" % (ACCOUNTS["demo"].image_url.rstrip("/"), image["id"])
    assert api.get(demo, href)["id"] == image["id"]


@check
def sharing():
    """snapshot by an administrator of another project’s server: shared with its owner"""
    image = uploaded(admin, name="of-yours", visibility="shared", properties={"instance_owner": alt.project_id})
    assert api.get(alt, image["id"])["name"] == "of-yours"
    refused(exception.ImageNotFound, api.get, demo, image["id"])


@check
def copy_to_a_store():
    """copy of an image to the store of an edge site, and not twice"""
    image = uploaded(admin, name="to-the-edge")
    api.copy_image_to_store(admin, image["id"], "dcn1")
    settled = until(lambda: api.get(admin, image["id"]), lambda found: "os_glance_import_task" not in found["properties"])
    assert settled["stores"] == "central,dcn1", settled
    refused(exception.ImageBadRequest, api.copy_image_to_store, admin, image["id"], "dcn1")
    refused(exception.ImageNotFound, api.copy_image_to_store, admin, "00000000-1111-2222-3333-444444444444", "dcn1")


@check
def copy_of_a_record():
    """copy of an image without data is refused as impossible"""
    record = api.create(admin, dict(RAW, name="nothing-to-copy"))
    refused(exception.ImageImportImpossible, api.copy_image_to_store, admin, record["id"], "dcn1")


@check
def deletes():
    """delete: once, not what is protected, not what belongs to others"""
    image = uploaded(name="deleted")
    assert api.delete(demo, image["id"]) is True
    refused(exception.ImageNotFound, api.delete, demo, image["id"])
    refused(exception.ImageNotFound, api.get, demo, image["id"])
    kept = uploaded(name="protected", protected=True)
    refused(exception.ImageNotAuthorized, api.delete, demo, kept["id"])
    refused(exception.ImageNotFound, api.delete, alt, kept["id"])


@check
def refusals():
    """refusals become Nova’s own exceptions"""
    # As for a snapshot over the limits of its size.
    refused(exception.ImageQuotaExceeded, api.update, demo, uploaded(name="large")["id"], {"properties": {"p%d" % n: "1" for n in range(200)}})
    refused(exception.Forbidden, api.create, demo, dict(RAW, name="public", visibility="public"))
    refused(exception.Invalid, api.create, demo, dict(RAW, name="x", min_disk=2**31))


run()
