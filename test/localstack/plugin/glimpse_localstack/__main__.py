"""Starts LocalStack: `python -m glimpse_localstack`.

LocalStack 4.13.1 says of itself that Python 3.11 will do, but for one annotation, `Lock | None`: `threading.Lock` is a class since Python 3.13
only. It is one while that module is read.
"""

import threading


class _Lock:
    """Makes what `threading.Lock` makes."""

    def __new__(cls):
        return _made()


_made = threading.Lock
if not isinstance(_made, type):
    threading.Lock = _Lock
    try:
        import localstack.packages.api  # noqa: F401
    finally:
        threading.Lock = _made

if __name__ == "__main__":
    from localstack.runtime.main import main

    main()
