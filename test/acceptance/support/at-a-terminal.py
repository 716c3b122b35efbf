"""at-a-terminal.py COMMAND ...: runs a command at a terminal of its own and answers its question for a passphrase with none. What a
command that fails has printed goes to stderr."""

import os
import pty
import sys

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
printed = b""
try:
    while chunk := os.read(terminal, 65536):
        printed += chunk
        if b"leave empty if none" in chunk:
            os.write(terminal, b"\n")
except OSError:
    pass  # Linux says so when the command has closed its terminal.
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os.write(1 if code == 0 else 2, printed)
sys.exit(code)
