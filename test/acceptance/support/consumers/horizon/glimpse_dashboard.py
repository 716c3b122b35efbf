"""Settings of Debian's dashboard for a folder and a port of its own, over those of the package: no web server, no database, no cache."""
import os

from openstack_dashboard.settings import *  # noqa: F401,F403
from openstack_dashboard.settings import HORIZON_CONFIG

ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = os.environ["DASHBOARD_SECRET"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
ROOT_URLCONF = "glimpse_dashboard_urls"
OPENSTACK_KEYSTONE_URL = os.environ["OS_AUTH_URL"]
# The browser sends the file to the image service itself.
HORIZON_IMAGES_UPLOAD_MODE = "direct"
# Without a compute service there is no overview to begin at.
HORIZON_CONFIG["user_home"] = "/project/images/"
# All namespaces of the catalog on one page.
API_RESULT_PAGE_SIZE = 100
