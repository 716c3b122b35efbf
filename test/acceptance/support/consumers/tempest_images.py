"""Runs classes of Tempest and its plugins in this process: tempest_images.py PATTERN... (regular expressions, found in a test's id).

Prints JSON: for each test its result, `passed`, `skipped: …` with the reason or `failed: …` with the trace. TEMPEST_CONFIG_DIR and
TEMPEST_CONFIG name the settings.
"""
import contextlib
import json
import os
import re
import sys
import unittest

import tempest
from tempest.test_discover import plugins


class Results(unittest.TestResult):
    """What became of each test; a class that did not begin is named by itself."""

    def __init__(self):
        super().__init__()
        self.of = {}

    def addSuccess(self, test):
        self.of[test.id()] = "passed"

    def addSkip(self, test, reason):
        self.of[test.id()] = "skipped: " + reason

    def addError(self, test, error):
        self.of[test.id()] = "failed: " + self._exc_info_to_string(error, test)

    addFailure = addError


def tests_in(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_in(part)
        else:
            yield part


def load(patterns):
    """The tests that a pattern names, of the image API and of the plugins, those of a class together."""
    top = os.path.dirname(os.path.dirname(tempest.__file__))
    folders = [(os.path.join(top, "tempest/api/image"), top)]
    folders += plugins.TempestTestPluginManager().get_plugin_load_tests_tuple().values()
    wanted = [re.compile(pattern) for pattern in patterns]
    for folder, root in folders:
        for test in tests_in(unittest.TestLoader().discover(folder, top_level_dir=root)):
            if any(pattern.search(test.id()) for pattern in wanted):
                yield test


results = Results()
with contextlib.redirect_stdout(sys.stderr):
    unittest.TestSuite(load(sys.argv[1:])).run(results)
json.dump(results.of, sys.stdout)
