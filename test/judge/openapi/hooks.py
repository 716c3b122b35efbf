"""What schemathesis cannot know: a media type that is JSON."""

import schemathesis

schemathesis.serializer.alias("application/openstack-images-v2.1-json-patch", "application/json")
