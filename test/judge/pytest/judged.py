"""A plugin of pytest: one line of JSON for each test, with what was answered 501 NotImplemented meanwhile."""

import json
import os

import pytest
from urllib3 import connectionpool

refused = []
_urlopen = connectionpool.HTTPConnectionPool.urlopen


def _noted(self, method, url, *args, **kwargs):
    response = _urlopen(self, method, url, *args, **kwargs)
    if response.status == 501:
        query = url.partition("?")[2]
        refused.append(f"{method} ?{query.split('=')[0]}" if query else f"{method} {url}")
    return response


connectionpool.HTTPConnectionPool.urlopen = _noted


def differences(call):
    """Where a recorded answer and ours are apart, one line each; empty for what failed otherwise."""
    results = getattr(call.excinfo.value, "result", None) if call.excinfo else None
    if not isinstance(results, list):
        return ""
    lines = []
    for result in (result for result in results if not result):
        for changes in result.result.values():
            for change in changes:
                where = ".".join(str(part) for part in change.path(output_format="list"))
                lines.append(f"{result.key}.{where}: {change.t1!r} here {change.t2!r}")
    return "\n".join(lines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    refused.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    said = report.passed if call.when == "call" else not report.passed
    if said or report.failed or report.skipped:
        text = differences(call) or str(report.longrepr[2] if isinstance(report.longrepr, tuple) else call.excinfo.exconly() if call.excinfo else "")
        if "no service for" in text or "An error occurred (Unknown)" in text:
            refused.append("a service that is not there")
        line = {"name": item.nodeid, "when": call.when, "outcome": report.outcome, "why": text[:2000], "refused": list(refused) if report.failed else []}
        with open(os.environ["GLIMPSE_JUDGED"], "a", encoding="utf8") as out:
            out.write(json.dumps(line) + "\n")
    return report
