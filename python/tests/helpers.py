"""What tests of every folder use."""

from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]

Connection = psycopg.Connection[Any]
