"""Settings for the tests: a data directory of their own, the housekeeper beside the worker, cheap passwords."""

import os
import tempfile

os.environ["GATEWAY_DATA_DIR"] = tempfile.mkdtemp(prefix="llmgateway-test-")
os.environ["GATEWAY_INLINE_HOUSEKEEPER"] = "true"
for _name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(_name, None)

from gateway_project.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
