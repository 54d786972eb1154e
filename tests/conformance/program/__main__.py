"""`python -m conformance.program client|worker`."""

import sys

from conformance.program.client import ClientRole
from conformance.program.lines import serve
from conformance.program.worker import WorkerRole

serve({"client": ClientRole, "worker": WorkerRole}[sys.argv[1]]())
