"""Checks of a consumer's own code against the clouds of OS_CLIENT_CONFIG_FILE.

A script marks functions with @check and ends with run(). It prints one JSON object: the name of each check, and null or how it failed.
"""
import json
import sys
import time
import traceback

import openstack

_CHECKS = []


def check(function):
    """A check: its docstring is its name. Checks run in order, each with images of its own."""
    _CHECKS.append(function)
    return function


def run():
    results = {}
    for function in _CHECKS:
        try:
            function()
            results[function.__doc__] = None
        except BaseException:
            results[function.__doc__] = traceback.format_exc()
    json.dump(results, sys.stdout)


def _service(entry):
    faces = {"%sURL" % endpoint["interface"]: endpoint["url"] for endpoint in entry["endpoints"]}
    return {"type": entry["type"], "name": entry["name"], "endpoints": [dict(faces, region="RegionOne")]}


class Account:
    """A token of a cloud, and the catalog as keystonemiddleware hands it to services."""

    def __init__(self, cloud):
        self.connection = openstack.connect(cloud=cloud)
        session = self.connection.session
        access = session.auth.get_access(session)
        self.token, self.user_id, self.project_id = access.auth_token, access.user_id, access.project_id
        self.roles = access.role_names
        self.catalog = [_service(entry) for entry in access.service_catalog.catalog]
        self.image_url = session.get_endpoint(service_type="image")


    def context(self, kind):
        """Who asks, as a service of OpenStack has it: `kind` is its RequestContext."""
        return kind(
            user_id=self.user_id, project_id=self.project_id, auth_token=self.token, roles=self.roles,
            service_catalog=self.catalog, is_admin="admin" in self.roles)


ACCOUNTS = {name: Account(cloud) for name, cloud in (("admin", "glimpse"), ("demo", "glimpse-demo"), ("alt", "glimpse-alt"))}
RAW = {"disk_format": "raw", "container_format": "bare"}


def contexts(kind):
    """Of the administrator and of a member of either project."""
    return [ACCOUNTS[name].context(kind) for name in ("admin", "demo", "alt")]


def content_of(path):
    with open(path, "rb") as source:
        return source.read()


def refused(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError("was not refused with %s" % kind.__name__)


def until(look, holds):
    """What `look` finds once it `holds`; the limit ends what hangs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = look()
        if holds(found):
            return found
        time.sleep(0.2)
    raise AssertionError("still %r" % (found,))
