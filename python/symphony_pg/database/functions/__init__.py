# ruff: noqa: F403 (whatever a topic has)
"""The SQL functions, each once: its arguments, its answer, and what it promises.

Every function here takes the arguments of the SQL function of the same name and returns a `Call`,
which `Client` and `AsyncClient` execute. An argument that is None is left to the SQL default.
"""

from .brokers import *
from .failed import *
from .figures import *
from .health import *
from .installation import *
from .limits import *
from .messages import *
from .queues import *
from .routing import *
from .schedules import *
from .workers import *
