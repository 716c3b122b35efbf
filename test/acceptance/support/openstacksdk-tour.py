"""What a program does with openstacksdk, against the clouds of OS_CLIENT_CONFIG_FILE.

Usage: openstacksdk-tour.py FILE URI. Ends with exit 1 and a traceback when an answer is not what it must be;
prints one JSON object with what it saw.
"""
import hashlib
import io
import json
import sys
import time
from importlib.metadata import version

import openstack
from openstack import exceptions

path, uri = sys.argv[1:3]
with open(path, "rb") as source:
    content = source.read()
md5 = hashlib.md5(content).hexdigest()
demo, alt = (openstack.connect(cloud=name) for name in ("glimpse-demo", "glimpse-alt"))
report = {"sdk": version("openstacksdk")}
RAW = {"disk_format": "raw", "container_format": "bare"}


def settled(image_id, status="active"):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        image = demo.image.get_image(image_id)
        if image.status == status and not image.properties.get("os_glance_importing_to_stores"):
            return image
        time.sleep(0.1)
    raise AssertionError("image %s is %s, not %s" % (image_id, image.status, status))


def refused(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError("%s was not refused" % call.__name__)


# Upload in one call, then in two; the first one with tags and properties.
whole = demo.create_image("whole", filename=path, wait=True, validate_checksum=True, tags=["sdk"], os_distro="debian", **RAW)
assert (whole.status, whole.checksum, whole.size) == ("active", md5, len(content)), whole
assert whole.tags == ["sdk"] and whole.properties.get("os_distro", whole.os_distro) == "debian", whole
again = demo.create_image("whole", filename=path, wait=True, validate_checksum=True, **RAW)
assert again.id == whole.id, "the same bytes were uploaded twice"
stepwise = demo.image.create_image("stepwise", **RAW)
assert stepwise.status == "queued"
stepwise.data = content
stepwise.upload(demo.image)
assert settled(stepwise.id).checksum == md5

# Import: staged bytes, from an address, and both in one call.
staged = demo.image.create_image("staged", **RAW)
demo.image.stage_image(staged, data=io.BytesIO(content))
demo.image.import_image(staged, method="glance-direct")
assert settled(staged.id).checksum == md5
fetched = demo.image.create_image("fetched", **RAW)
demo.image.import_image(fetched, method="web-download", uri=uri, stores=[{"id": "dcn0"}, {"id": "dcn1"}])
assert settled(fetched.id).checksum == md5
assert demo.image.get_image(fetched.id).properties["stores"] == "dcn0,dcn1", demo.image.get_image(fetched.id)
short = demo.image.create_image("short", filename=path, use_import=True, allow_duplicates=True, **RAW)
assert settled(short.id).checksum == md5
report["import_methods"] = demo.image.get("/info/import").json()["import-methods"]["value"]
report["stores"] = [store.id for store in demo.image.stores()]

# Pages: every image once, in order, whatever the page size.
made = [demo.image.create_image("page-%03d" % number, allow_duplicates=True, **RAW).id for number in range(250)]
paged = [image.id for image in demo.image.images(limit=40, sort="name:asc", status="queued")]
assert paged == made, "250 images listed as %d" % len(paged)
report["paged"] = len(paged)
newest = next(demo.image.images(limit=1))
assert newest.id == made[-1]

# Search, update, tags.
assert demo.image.find_image("page-123").id == made[123]
assert demo.image.find_image("nothing") is None
changed = demo.image.update_image(made[0], name="renamed", min_disk=4, is_hidden=True, colour="blue")
assert (changed.name, changed.min_disk, changed.is_hidden) == ("renamed", 4, True), changed
assert demo.image.find_image("renamed").id == made[0], "a hidden image is found by name"
demo.image.add_tag(made[1], "golden")
assert [image.id for image in demo.image.images(tag="golden")] == [made[1]]
demo.image.remove_tag(made[1], "golden")
assert demo.image.get_image(made[1]).tags == []

# Deactivated bytes are not for their owner; afterwards they are again, and they verify.
demo.image.deactivate_image(whole.id)
assert demo.image.get_image(whole.id).status == "deactivated"
assert demo.image.get("/images/%s/file" % whole.id).status_code == 403
demo.image.reactivate_image(whole.id)
copy = io.BytesIO()
demo.image.download_image(whole.id, output=copy)
assert copy.getvalue() == content
assert b"".join(demo.image.download_image(whole.id, stream=True).iter_content(1024)) == content

# Shared: seen by the other project when it has accepted, and not before.
member = alt.current_project_id
demo.image.add_member(whole.id, member_id=member)
assert whole.id not in [image.id for image in alt.image.images()]
assert alt.image.get_image(whole.id).id == whole.id
alt.image.update_member(member, whole.id, status="accepted")
assert whole.id in [image.id for image in alt.image.images(visibility="shared")]
assert [entry.status for entry in demo.image.members(whole.id)] == ["accepted"]
copy = io.BytesIO()
alt.image.download_image(whole.id, output=copy)
assert copy.getvalue() == content
demo.image.remove_member(member, whole.id)
report["not_shared"] = refused(exceptions.ResourceNotFound, alt.image.get_image, whole.id)

# What is refused, in words.
report["not_public"] = refused(exceptions.HttpException, demo.image.update_image, made[2], visibility="public")
report["protected"] = refused(
    exceptions.HttpException, lambda: demo.image.delete_image(demo.image.update_image(made[3], is_protected=True).id))
assert "name" in demo.image.get_image_schema().properties
for image_id in (whole.id, fetched.id):
    demo.image.delete_image(image_id, ignore_missing=False)
report["deleted"] = refused(exceptions.ResourceNotFound, demo.image.get_image, whole.id)
print(json.dumps(report))
