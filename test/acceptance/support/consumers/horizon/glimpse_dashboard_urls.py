"""The dashboard's addresses, and its static files, which a web server would serve otherwise."""
from django.conf import settings
from django.urls import re_path
from django.views.static import serve
from openstack_dashboard.urls import urlpatterns as dashboard

urlpatterns = [re_path(r"^static/(?P<path>.*)$", serve, {"document_root": settings.STATIC_ROOT})] + dashboard
