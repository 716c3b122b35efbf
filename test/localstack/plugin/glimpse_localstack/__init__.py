"""Functions of LocalStack as Node processes of this machine."""
