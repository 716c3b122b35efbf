"""A plugin for LocalStack's recorded S3 tests: their fixtures and snapshots, against an endpoint that runs already.

AWS's answers are compared whole: what LocalStack itself gets wrong, and skips for that, is not skipped here.
"""

import re

import botocore.client
import pytest
import requests
from localstack import config
from localstack.testing.aws import util
from tests.aws.conftest import snapshot  # noqa: F401

config.S3_VIRTUAL_HOSTNAME = "127.0.0.1"

# Buckets are found by path here, not by name.
_request = requests.Session.request
_BY_NAME = re.compile(r"^http://([^/]+?)\.(?:s3\.)?127\.0\.0\.1(:\d+)?(.*)$")


def _by_path(self, method, url, *args, **kwargs):
    return _request(self, method, _BY_NAME.sub(r"http://127.0.0.1\2/\1\3", url), *args, **kwargs)


requests.Session.request = _by_path

# What opens a bucket to everybody before a test begins: here it is open.
OPENED = ("DeleteBucketOwnershipControls", "DeletePublicAccessBlock")
_make_api_call = botocore.client.BaseClient._make_api_call


def _call(self, operation_name, api_params):
    return {} if operation_name in OPENED else _make_api_call(self, operation_name, api_params)


botocore.client.BaseClient._make_api_call = _call


def pytest_collection_modifyitems(items):
    for item in items:
        for node in item.listchain():
            node.own_markers = [mark for mark in node.own_markers if mark.name != "skip_snapshot_verify"]


@pytest.fixture(scope="session")
def aws_session():
    return util.base_aws_session()


@pytest.fixture(scope="session")
def aws_client_factory(aws_session):
    return util.base_aws_client_factory(aws_session)


@pytest.fixture(scope="session")
def aws_client(aws_client_factory):
    return util.base_testing_aws_client(aws_client_factory)


@pytest.fixture(scope="session")
def secondary_aws_client(aws_client):
    return aws_client


@pytest.fixture(scope="session")
def account_id():
    return "000000000000"


@pytest.fixture
def s3_empty_bucket(aws_client):
    def empty(bucket):
        while found := aws_client.s3.list_objects_v2(Bucket=bucket).get("Contents"):
            keys = [{"Key": one["Key"]} for one in found]
            aws_client.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})

    return empty
