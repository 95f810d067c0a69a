#!/usr/local/bin/python3 -IS
"""Ask the service in this container whether it is ready; the exit code is 1 where it is not."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

try:
    asked = HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=4)
    asked.request("GET", "/health/ready")
    answer = asked.getresponse()
    print(answer.read(1000).decode())
    sys.exit(answer.status != HTTPStatus.OK)
except (OSError, HTTPException) as error:
    sys.exit(f"not ready: {error}")
