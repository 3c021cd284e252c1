"""The dashboard: what is wrong now, queues, messages, what failed, workers, and who did what.

Pages are made on the server and work without JavaScript. With it they renew themselves.
"""

from .dashboard import Dashboard

__all__ = ["Dashboard"]
