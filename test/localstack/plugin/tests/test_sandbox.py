"""The sandbox alone: no LocalStack. NODE and BOOTSTRAP name what a function's process is."""

import json
import os
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from glimpse_localstack import sandbox as module  # noqa: E402
from glimpse_localstack.sandbox import InitError, Sandbox, StartFailed  # noqa: E402

HANDLER = """
let calls = 0;
export const handler = async (event, context) => {
  calls += 1;
  if (event.print) console.log(event.print);
  if (event.fail) throw Object.assign(new Error('told to'), { name: event.fail });
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.sleepMs) await new Promise((done) => setTimeout(done, event.sleepMs));
  if (event.bytes) return 'x'.repeat(event.bytes);
  return { calls, id: context.awsRequestId, arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis(), env: process.env.OF_FUNCTION };
};
"""


class SandboxTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def open(self, code=HANDLER, seconds=60, start_seconds=60, start=True):
        with open(os.path.join(self.folder.name, "bundle.mjs"), "w") as file:
            file.write(code)
        env = {
            "PATH": os.environ["PATH"],
            "_HANDLER": "bundle.handler",
            "LAMBDA_TASK_ROOT": self.folder.name,
            "OF_FUNCTION": "its own",
        }
        command = [os.environ["NODE"], os.environ["BOOTSTRAP"]]
        opened = Sandbox(command, self.folder.name, env, seconds, start_seconds)
        self.addCleanup(opened.close)
        if start:
            opened.start()
        return opened

    def call(self, sandbox, event, request_id="r-1"):
        return sandbox.invoke(request_id, "arn:aws:lambda:us-east-1:000000000000:function:f", json.dumps(event), "Root=1")

    def wait_for_log(self, sandbox, text):
        end = time.monotonic() + 30
        while text not in sandbox.logs() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIn(text, sandbox.logs())

    def test_an_event_is_answered_with_the_context_of_its_request(self):
        answer = self.call(self.open(), {}, "r-7")
        body = json.loads(answer.payload)
        self.assertFalse(answer.is_error)
        self.assertEqual([body["calls"], body["id"], body["env"]], [1, "r-7", "its own"])
        self.assertTrue(body["arn"].endswith(":function:f"))
        self.assertTrue(0 < body["left"] <= 60_000)

    def test_a_warm_process_is_kept(self):
        sandbox = self.open()
        self.call(sandbox, {})
        self.assertEqual(json.loads(self.call(sandbox, {}, "r-2").payload)["calls"], 2)

    def test_what_a_handler_throws_is_an_error_by_its_name(self):
        answer = self.call(self.open(), {"fail": "StaleRevision"})
        self.assertTrue(answer.is_error)
        self.assertEqual(json.loads(answer.payload)["errorType"], "StaleRevision")

    def test_what_it_prints_is_in_the_log_of_its_call(self):
        sandbox = self.open()
        self.call(sandbox, {"print": "first"})
        # What a process prints is read beside its answer, and may come later.
        self.wait_for_log(sandbox, "first")
        logs = self.call(sandbox, {"print": "second"}, "r-2").logs
        self.wait_for_log(sandbox, "second")
        self.assertNotIn("first\nsecond", logs)

    def test_a_process_that_ends_fails_its_call_and_the_next_one_has_a_new_one(self):
        sandbox = self.open()
        answer = self.call(sandbox, {"exit": 3})
        self.assertEqual(json.loads(answer.payload)["errorType"], "Runtime.ExitError")
        self.assertEqual(json.loads(self.call(sandbox, {}, "r-2").payload)["calls"], 1)

    def test_a_call_out_of_time_ends_the_process_and_its_late_answer_is_nobodys(self):
        sandbox = self.open(seconds=3)
        answer = self.call(sandbox, {"sleepMs": 600_000})
        self.assertEqual(json.loads(answer.payload)["errorType"], "Sandbox.Timedout")
        self.assertIn("3.00 seconds", json.loads(answer.payload)["errorMessage"])
        self.assertEqual(json.loads(self.call(sandbox, {}, "r-2").payload)["id"], "r-2")

    def test_an_answer_above_the_limit_is_an_error(self):
        answer = self.call(self.open(), {"bytes": module.LARGEST_ANSWER_BYTES})
        self.assertEqual(json.loads(answer.payload)["errorType"], "Function.ResponseSizeTooLarge")

    def test_code_that_cannot_be_loaded_is_said_by_its_type(self):
        with self.assertRaises(InitError) as caught:
            self.open("import './not-there.mjs';")
        self.assertEqual(json.loads(caught.exception.payload)["errorType"], "Runtime.ImportModuleError")

    def test_a_process_that_ends_without_a_word_could_not_be_started(self):
        with self.assertRaises(StartFailed):
            self.open("process.exit(1);")

    def test_a_process_that_asks_for_nothing_could_not_be_started_and_is_gone(self):
        sandbox = self.open("await new Promise((done) => setTimeout(done, 600_000));", start_seconds=1, start=False)
        with self.assertRaises(StartFailed) as caught:
            sandbox.start()
        self.assertIn("out of time", str(caught.exception))
        self.assertTrue(sandbox._life.is_dead)

    def test_a_close_ends_a_call_that_is_under_way(self):
        sandbox = self.open()
        answers = []
        caller = threading.Thread(target=lambda: answers.append(self.call(sandbox, {"print": "begun", "sleepMs": 600_000})))
        caller.start()
        while "begun" not in sandbox.logs():
            time.sleep(0.05)
        sandbox.close()
        caller.join(30)
        self.assertEqual(json.loads(answers[0].payload)["errorType"], "Runtime.ExitError")


if __name__ == "__main__":
    unittest.main()
